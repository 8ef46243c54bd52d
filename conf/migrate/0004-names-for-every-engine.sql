-- What schema.sql has and version 3 had not. A step that was published stays as it is; this one may grow until then.

-- `user` is a reserved word of SQL, which PostgreSQL takes for the name of the role. SQLite renames what refers to a table or
-- column too: keys, indexes and triggers.
ALTER TABLE user RENAME TO users;
ALTER TABLE session RENAME COLUMN user TO user_pk;
ALTER TABLE known_network RENAME COLUMN user TO user_pk;
ALTER TABLE attempt RENAME COLUMN user TO user_pk;
ALTER TABLE result RENAME COLUMN user TO user_pk;
ALTER TABLE assignment RENAME COLUMN user TO user_pk;
