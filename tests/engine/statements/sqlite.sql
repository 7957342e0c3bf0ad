-- create
INSERT INTO session_info (app_id, tenant_id, session_handle, user_id, refresh_token_hash_2, session_data, expires_at, created_at_time, jwt_user_payload, use_static_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
-- verify against the database
SELECT session_info.refresh_token_hash_2, session_info.prev_refresh_token_hash_2, session_info.refresh_token_rotated_at, session_info.expires_at, session_info.jwt_user_payload FROM session_info WHERE session_info.app_id = ? AND session_info.tenant_id = ? AND session_info.session_handle = ?
-- refresh
BEGIN IMMEDIATE
SELECT session_info.refresh_token_hash_2, session_info.prev_refresh_token_hash_2, session_info.refresh_token_rotated_at, session_info.expires_at, session_info.user_id, session_info.jwt_user_payload, session_info.use_static_key FROM session_info WHERE session_info.app_id = ? AND session_info.tenant_id = ? AND session_info.session_handle = ?
UPDATE session_info SET refresh_token_hash_2=?, expires_at=?, use_static_key=?, prev_refresh_token_hash_2=?, refresh_token_rotated_at=? WHERE session_info.app_id = ? AND session_info.tenant_id = ? AND session_info.session_handle = ?
-- refresh with the previous token
BEGIN IMMEDIATE
SELECT session_info.refresh_token_hash_2, session_info.prev_refresh_token_hash_2, session_info.refresh_token_rotated_at, session_info.expires_at, session_info.user_id, session_info.jwt_user_payload, session_info.use_static_key FROM session_info WHERE session_info.app_id = ? AND session_info.tenant_id = ? AND session_info.session_handle = ?
-- refresh with the current token again
BEGIN IMMEDIATE
SELECT session_info.refresh_token_hash_2, session_info.prev_refresh_token_hash_2, session_info.refresh_token_rotated_at, session_info.expires_at, session_info.user_id, session_info.jwt_user_payload, session_info.use_static_key FROM session_info WHERE session_info.app_id = ? AND session_info.tenant_id = ? AND session_info.session_handle = ?
UPDATE session_info SET expires_at=?, use_static_key=? WHERE session_info.app_id = ? AND session_info.tenant_id = ? AND session_info.session_handle = ?
-- refresh of an expired session
BEGIN IMMEDIATE
SELECT session_info.refresh_token_hash_2, session_info.prev_refresh_token_hash_2, session_info.refresh_token_rotated_at, session_info.expires_at, session_info.user_id, session_info.jwt_user_payload, session_info.use_static_key FROM session_info WHERE session_info.app_id = ? AND session_info.tenant_id = ? AND session_info.session_handle = ?
