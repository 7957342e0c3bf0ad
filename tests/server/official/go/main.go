// A session conversation of the unmodified official Go SDK with a core, with an application around it.
// Usage: conversation <core address> <api key>. Fails by a panic; ends with one line "done: …".
package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"sort"
	"strings"

	"github.com/supertokens/supertokens-golang/recipe/jwt"
	"github.com/supertokens/supertokens-golang/recipe/multitenancy"
	"github.com/supertokens/supertokens-golang/recipe/multitenancy/multitenancymodels"
	"github.com/supertokens/supertokens-golang/recipe/session"
	sessionerrors "github.com/supertokens/supertokens-golang/recipe/session/errors"
	"github.com/supertokens/supertokens-golang/recipe/session/sessmodels"
	"github.com/supertokens/supertokens-golang/recipe/usermetadata"
	"github.com/supertokens/supertokens-golang/recipe/userroles"
	"github.com/supertokens/supertokens-golang/supertokens"
)

type object = map[string]interface{}

var done []string

func step(name string) { done = append(done, name) }

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func require(holds bool, what string, seen ...interface{}) {
	if !holds {
		panic(fmt.Sprintf("%s: %v", what, seen))
	}
}

func same(got, wanted interface{}) {
	require(reflect.DeepEqual(got, wanted), "not the same", got, wanted)
}

func part(token string, index int) object {
	raw := must(base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[index]))
	var value object
	must(0, json.Unmarshal(raw, &value))
	return value
}

func create(user, tenant string, antiCsrf bool) sessmodels.SessionContainer {
	disabled := !antiCsrf
	return must(session.CreateNewSessionWithoutRequestResponse(
		tenant, user, object{"plan": "free"}, object{"cart": []interface{}{1.0, nil}}, &disabled))
}

func verify(tokens sessmodels.SessionTokens, check, database bool) (sessmodels.SessionContainer, error) {
	options := &sessmodels.VerifySessionOptions{AntiCsrfCheck: &check, CheckDatabase: &database}
	return session.GetSessionWithoutRequestResponse(tokens.AccessToken, tokens.AntiCsrfToken, options)
}

func refresh(tokens sessmodels.SessionTokens) (sessmodels.SessionContainer, error) {
	disabled := false
	return session.RefreshSessionWithoutRequestResponse(*tokens.RefreshToken, &disabled, tokens.AntiCsrfToken)
}

func refused[E error](_ sessmodels.SessionContainer, err error) E {
	var kind E
	require(errors.As(err, &kind), "refused otherwise", err)
	return kind
}

func lifecycle() {
	created := create("go-1", "public", true)
	tokens := created.GetAllSessionTokensDangerously()
	same(created.GetUserID(), "go-1")
	same(created.GetTenantId(), "public")
	same(part(tokens.AccessToken, 0)["version"], "4")
	_, named := part(tokens.AccessToken, 1)["rsub"]
	require(!named, "no rsub in this version")
	same(created.GetAccessTokenPayload()["someKey"], "someValue")
	step("create")

	same(must(verify(tokens, true, false)).GetHandle(), created.GetHandle())
	same(must(verify(tokens, true, true)).GetAccessTokenPayload()["plan"], "free")
	wrong := "wrong"
	check := true
	refused[sessionerrors.TryRefreshTokenError](session.GetSessionWithoutRequestResponse(
		tokens.AccessToken, &wrong, &sessmodels.VerifySessionOptions{AntiCsrfCheck: &check}))
	step("verify with and without database")

	for _, has := range []bool{true, false} {
		for _, checked := range []bool{true, false} {
			for _, database := range []bool{true, false} {
				one := create("go-1b", "public", has).GetAllSessionTokensDangerously()
				_, err := verify(one, checked, database)
				require((err == nil) == (has || !checked), "anti-csrf", has, checked, database, err)
			}
		}
	}
	step("anti-csrf")

	must(0, created.MergeIntoAccessTokenPayload(object{"plan": "paid", "nested": object{"a": nil}}))
	same(must(verify(tokens, true, true)).GetAccessTokenPayload()["plan"], "paid")
	info := must(session.GetSessionInformation(created.GetHandle()))
	same(info.CustomClaimsInAccessTokenPayload["nested"], object{"a": nil})
	same(info.SessionDataInDatabase, object{"cart": []interface{}{1.0, nil}})
	require(must(session.UpdateSessionDataInDatabase(created.GetHandle(), object{"x": "ü"})), "updated")
	same(must(created.GetSessionDataInDatabase()), object{"x": "ü"})
	step("payload and data")

	refreshed := must(refresh(tokens))
	second := refreshed.GetAllSessionTokensDangerously()
	same(refreshed.GetHandle(), created.GetHandle())
	same(refreshed.GetAccessTokenPayload()["plan"], "paid")
	require(*second.RefreshToken != *tokens.RefreshToken, "another refresh token")
	again := must(refresh(tokens)).GetAllSessionTokensDangerously()
	same(*again.RefreshToken, *second.RefreshToken)
	must(verify(second, true, true))
	step("refresh")

	third := second // within the grace period of its rotation (1 s here) a token is answered with itself
	for *third.RefreshToken == *second.RefreshToken {
		third = must(refresh(second)).GetAllSessionTokensDangerously()
	}
	theft := refused[sessionerrors.TokenTheftDetectedError](refresh(tokens))
	same(theft.Payload.UserID, "go-1")
	same(theft.Payload.SessionHandle, created.GetHandle())
	refused[sessionerrors.UnauthorizedError](verify(third, true, true))
	refused[sessionerrors.UnauthorizedError](refresh(third))
	step("theft")

	disabled := false
	refused[sessionerrors.UnauthorizedError](session.RefreshSessionWithoutRequestResponse("a.b.V2", &disabled, nil))
	unchecked := false
	refused[sessionerrors.TryRefreshTokenError](session.GetSessionWithoutRequestResponse(
		tokens.AccessToken+"x", nil, &sessmodels.VerifySessionOptions{AntiCsrfCheck: &unchecked}))
	step("garbage")

	handles := []string{}
	for range "123" {
		handles = append(handles, create("go-2", "public", true).GetHandle())
	}
	listed := must(session.GetAllSessionHandlesForUser("go-2", nil))
	sort.Strings(listed)
	wanted := append([]string{}, handles...)
	sort.Strings(wanted)
	same(listed, wanted)
	require(must(session.RevokeSession(handles[0])), "revoked")
	require(!must(session.RevokeSession(handles[0])), "revoked before")
	same(must(session.RevokeMultipleSessions([]string{handles[1], "gone"})), []string{handles[1]})
	same(must(session.RevokeAllSessionsForUser("go-2", nil)), []string{handles[2]})
	require(must(session.GetSessionInformation(handles[2])) == nil, "gone")
	step("revoke")
}

func withRoles() {
	made := must(userroles.CreateNewRoleOrAddPermissions("gopher", []string{"read", "write"}))
	require(made.OK.CreatedNewRole, "new role")
	require(!must(userroles.AddRoleToUser("public", "go-3", "gopher")).OK.DidUserAlreadyHaveRole, "new")
	require(must(userroles.AddRoleToUser("public", "go-3", "gopher")).OK.DidUserAlreadyHaveRole, "had")
	require(must(userroles.AddRoleToUser("public", "go-3", "nobody")).UnknownRoleError != nil, "unknown role")
	same(must(userroles.GetRolesForUser("public", "go-3")).OK.Roles, []string{"gopher"})
	same(must(userroles.GetUsersThatHaveRole("public", "gopher")).OK.Users, []string{"go-3"})
	payload := create("go-3", "public", true).GetAccessTokenPayload()
	same(payload["st-role"].(object)["v"], []interface{}{"gopher"})
	require(must(userroles.RemoveUserRole("public", "go-3", "gopher")).OK.DidUserHaveRole, "removed")
	require(must(userroles.DeleteRole("gopher", &object{})).OK.DidRoleExist, "deleted")
	step("roles")
}

func withMetadata() {
	same(len(must(usermetadata.GetUserMetadata("go-4"))), 0)
	must(usermetadata.UpdateUserMetadata("go-4", object{"a": 1, "b": object{"c": nil}}))
	merged := must(usermetadata.UpdateUserMetadata("go-4", object{"a": nil, "d": "ü"}))
	same(merged, object{"b": object{"c": nil}, "d": "ü"})
	must(0, usermetadata.ClearUserMetadata("go-4"))
	same(len(must(usermetadata.GetUserMetadata("go-4"))), 0)
	step("metadata")
}

func withTenants() {
	on := true
	config := multitenancymodels.TenantConfig{EmailPasswordEnabled: &on}
	require(must(multitenancy.CreateOrUpdateTenant("g1", config)).OK.CreatedNew, "new tenant")
	require(!must(multitenancy.CreateOrUpdateTenant("g1", config)).OK.CreatedNew, "known tenant")
	found := must(multitenancy.GetTenant("g1"))
	same([]bool{found.EmailPassword.Enabled, found.Passwordless.Enabled, found.ThirdParty.Enabled}, []bool{true, false, false})
	require(must(multitenancy.GetTenant("g2")) == nil, "no such tenant")
	names := []string{}
	for _, tenant := range must(multitenancy.ListAllTenants()).OK.Tenants {
		names = append(names, tenant.TenantId)
	}
	sort.Strings(names)
	same(names, []string{"g1", "public"})

	created := create("go-5", "g1", true)
	tokens := created.GetAllSessionTokensDangerously()
	require(strings.HasSuffix(created.GetHandle(), "_g1"), "tenant in the handle")
	same(must(verify(tokens, true, true)).GetTenantId(), "g1")
	same(must(refresh(tokens)).GetTenantId(), "g1")
	tenant := "g1"
	same(must(session.RevokeAllSessionsForUser("go-5", &tenant)), []string{created.GetHandle()})
	require(must(multitenancy.DeleteTenant("g1")).OK.DidExist, "deleted")
	step("tenants")
}

func withJwts() {
	validity := uint64(10)
	body := part(must(jwt.CreateJWT(object{"scope": "x"}, &validity, nil)).OK.Jwt, 1)
	same(body["scope"], "x")
	same(body["exp"].(float64)-body["iat"].(float64), 10.0)
	families := map[string]bool{}
	for _, key := range must(jwt.GetJWKS()).OK.Keys {
		families[key.Kid[:2]] = true
	}
	require(families["s-"] && families["d-"], "both key families", families)
	step("jwt")
}

// An application as its authors write one: log-in, a protected route that changes the payload, another that
// reads it, and a job that changes every session of a user.
func application() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		must(session.CreateNewSession(r, w, "public", "go-6", object{}, object{}))
	})
	mux.HandleFunc("/update", session.VerifySession(nil, func(w http.ResponseWriter, r *http.Request) {
		container := session.GetSessionFromRequestContext(r.Context())
		if err := container.MergeIntoAccessTokenPayload(object{"newKey": "newValue"}); err != nil {
			must(0, supertokens.ErrorHandler(err, r, w))
		}
	}))
	mux.HandleFunc("/me", session.VerifySession(nil, func(w http.ResponseWriter, r *http.Request) {
		container := session.GetSessionFromRequestContext(r.Context())
		must(0, json.NewEncoder(w).Encode(container.GetAccessTokenPayload()))
	}))
	return supertokens.Middleware(mux)
}

func withAnApplication() {
	server := httptest.NewServer(application())
	defer server.Close()
	call := func(method, path, token string) (*http.Response, object) {
		request := must(http.NewRequest(method, server.URL+path, nil))
		request.Header.Set("st-auth-mode", "header")
		if token != "" {
			request.Header.Set("authorization", "Bearer "+token)
		}
		response := must(http.DefaultClient.Do(request))
		raw := must(io.ReadAll(response.Body))
		var body object
		_ = json.Unmarshal(raw, &body)
		return response, body
	}
	refusedAt, _ := call("GET", "/me", "")
	same(refusedAt.StatusCode, 401)
	login, _ := call("POST", "/login", "")
	updated, _ := call("POST", "/update", login.Header.Get("st-access-token"))
	same(updated.StatusCode, 200)
	_, shown := call("GET", "/me", updated.Header.Get("st-access-token"))
	same([]interface{}{shown["sub"], shown["someKey"], shown["newKey"]}, []interface{}{"go-6", "someValue", "newValue"})

	tenant := "public"
	for _, handle := range must(session.GetAllSessionHandlesForUser("go-6", &tenant)) {
		require(must(session.MergeIntoAccessTokenPayload(handle, object{"newKey": "fromJob"})), "merged")
		same(must(session.GetSessionInformation(handle)).CustomClaimsInAccessTokenPayload["newKey"], "fromJob")
	}
	fresh, _ := call("POST", "/auth/session/refresh", login.Header.Get("st-refresh-token"))
	same(fresh.StatusCode, 200)
	_, shown = call("GET", "/me", fresh.Header.Get("st-access-token"))
	same(shown["newKey"], "fromJob")
	out, _ := call("POST", "/auth/signout", fresh.Header.Get("st-access-token"))
	same(out.StatusCode, 200)
	same(len(must(session.GetAllSessionHandlesForUser("go-6", nil))), 0)
	step("application")
}

func main() {
	viaToken, telemetry := "VIA_TOKEN", false
	must(0, supertokens.Init(supertokens.TypeInput{
		Supertokens: &supertokens.ConnectionInfo{ConnectionURI: os.Args[1], APIKey: os.Args[2]},
		AppInfo: supertokens.AppInfo{
			AppName: "conversation", APIDomain: "http://localhost:3000", WebsiteDomain: "http://localhost:3001",
		},
		Telemetry: &telemetry,
		RecipeList: []supertokens.Recipe{
			session.Init(&sessmodels.TypeInput{
				AntiCsrf: &viaToken,
				Override: &sessmodels.OverrideStruct{
					Functions: func(original sessmodels.RecipeInterface) sessmodels.RecipeInterface {
						createNewSession := *original.CreateNewSession
						(*original.CreateNewSession) = func(userID string, payload, data map[string]interface{}, disableAntiCsrf *bool, tenantId string, userContext supertokens.UserContext) (sessmodels.SessionContainer, error) {
							payload["someKey"] = "someValue"
							return createNewSession(userID, payload, data, disableAntiCsrf, tenantId, userContext)
						}
						return original
					},
				},
			}),
			userroles.Init(nil),
			usermetadata.Init(nil),
			multitenancy.Init(nil),
			jwt.Init(nil),
		},
	}))
	for _, run := range []func(){lifecycle, withRoles, withMetadata, withTenants, withJwts, withAnApplication} {
		run()
	}
	fmt.Println("done: " + strings.Join(done, ", "))
}
