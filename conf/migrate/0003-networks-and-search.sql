-- What schema.sql has and version 2 had not. A step that was published stays as it is; this one may grow until then.

-- The audit as a list of the API.
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_name ON audit (subject);
