"""The log-in, and a page that opens the WebSocket."""

import hmac
import os

from django.http import HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST

from supertokens_py.recipe.session.framework.django.syncio import verify_session
from supertokens_py.recipe.session.syncio import create_new_session

PASSWORD = os.environ.get("EXAMPLE_PASSWORD", "demo")  # everybody's; a real application keeps a hash per user
PAGE = """<!doctype html><title>Echo</title><pre></pre><button>Hello</button><script>
const print = text => document.querySelector("pre").textContent += text + "\\n";
const login = fetch("/login", {method: "POST", headers: {"st-auth-mode": "cookie"},
                               body: new URLSearchParams({user: "ada", password: "demo"})});
login.then(() => {
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/ws/echo");
  socket.onmessage = event => print(event.data);
  socket.onclose = event => print("closed: " + event.code);
  document.querySelector("button").onclick = () => socket.send(JSON.stringify("hello"));
});
</script>"""


def page(request):
    return HttpResponse(PAGE)


@require_POST
def login(request):
    user = request.POST.get("user", "").strip()
    if not (1 <= len(user) <= 64 and user.isprintable()):
        return JsonResponse({"message": "user: a name of 1 to 64 printable characters is needed"}, status=400)
    if not hmac.compare_digest(request.POST.get("password", "").encode(), PASSWORD.encode()):
        return JsonResponse({"message": "wrong password"}, status=400)
    create_new_session(request, "public", user)
    return JsonResponse({"user": user})


@verify_session()
def me(request):
    return JsonResponse({"user": request.supertokens.get_user_id()})


urlpatterns = [path("", page), path("login", login), path("api/me", me)]
