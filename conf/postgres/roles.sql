-- Two roles for the database okul on PostgreSQL 15 or later. okul_migrate owns the tables; `okulctl migrate` and
-- `okulctl database move` run as it. okul is for the programs: it reads and writes rows, and can change nothing else,
-- neither the schema version nor the letters of okul_fold(). As a superuser:
--
--	sudo -u postgres createuser okul_migrate --pwprompt
--	sudo -u postgres createuser okul --pwprompt
--	sudo -u postgres createdb --owner=okul_migrate --encoding=UTF8 --locale=C.UTF-8 --template=template0 okul
--	sudo -u postgres psql -d okul <conf/postgres/roles.sql
--	OKUL_DATABASE=postgresql://okul_migrate:PASSWORD@host/okul okulctl migrate
--
-- Safe to run again.

REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO okul, okul_migrate;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO okul_migrate;
GRANT USAGE ON SCHEMA public TO okul;
-- for what migrations make
ALTER DEFAULT PRIVILEGES FOR ROLE okul_migrate IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO okul;
ALTER DEFAULT PRIVILEGES FOR ROLE okul_migrate IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO okul;
ALTER DEFAULT PRIVILEGES FOR ROLE okul_migrate IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO okul;
-- for what is there already
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO okul;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO okul;
-- schema.sql takes these back from the default privileges
SELECT format('REVOKE INSERT, UPDATE, DELETE ON %I FROM okul', tablename) FROM pg_tables
	WHERE schemaname = 'public' AND tablename IN ('okul_letter', 'schema_version') \gexec
