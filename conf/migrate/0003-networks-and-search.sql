-- What schema.sql has and version 2 had not. A step that was published stays as it is; this one may grow until then.

-- ---- sessions

-- Which refresh tokens were replaced lately, and 180 days at most from the login on.
ALTER TABLE session ADD COLUMN recent TEXT NOT NULL DEFAULT '[]';
UPDATE session SET expires_at = min(expires_at, created_at + 15552000000);
