"""The tables of both schemas: names, columns, types, NOT NULL, defaults, keys and references."""

import re

ONLY_SQLITE = {
    "user_text": "FTS5's index; on PostgreSQL a view over users, with an index of trigrams",
    "user_text_config": "part of it", "user_text_data": "part of it", "user_text_idx": "part of it",
    "sqlite_sequence": "the last keys; sequences on PostgreSQL",
}
ONLY_POSTGRES = {
    "user_text": "see above",
    "okul_letter": "fold_text() as a table",
    "schema_version": "PRAGMA user_version",
    "tally_part": "counts in parts", "time_tally_part": "counts in parts", "user_block_part": "counts in parts",
    "result_tally_part": "counts in parts",
}
# Views: a sum may be NULL for all that the server knows, and is no key.
VIEWS = {"tally", "time_tally", "user_block", "result_tally"}
TYPES = {"INTEGER": {"bigint", "boolean"}, "REAL": {"double precision"}, "TEXT": {"text"}, "BLOB": {"bytea"}}


def tables_of_sqlite(file):
    """{table: {column: (type, NOT NULL, default)}}"""
    tables = {}
    for (name,) in file.rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_stat%'"):
        key = [column for column, place in file.rows(f"SELECT name, pk FROM pragma_table_info('{name}')") if place]
        tables[name] = {column: (kind, bool(filled) or column in key, default) for column, kind, filled, default in
                        file.rows(f"SELECT name, type, \"notnull\", dflt_value FROM pragma_table_info('{name}')")}
    return tables


def tables_of_postgres(hosted):
    tables = {}
    for name, column, kind, null, default, identity in hosted.rows(
            "SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity FROM information_schema.columns"
            " WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"):
        tables.setdefault(name, {})[column] = (kind, null == "NO", None if identity == "YES" else default)
    return tables


def value_of(default, kind):
    """A default as a value: 1, true and '1'::bigint are the same where the type is."""
    if default is None:
        return None
    default = re.sub(r"::[a-z ]+$", "", default)
    return {"0": "false", "1": "true"}.get(default, default) if kind == "boolean" else default


def test_tables(file, hosted):
    ours, theirs = tables_of_sqlite(file), tables_of_postgres(hosted)
    assert set(ours) - set(theirs) == set(ONLY_SQLITE) - {"user_text"}
    assert set(theirs) - set(ours) == set(ONLY_POSTGRES) - {"user_text"}
    assert len(set(ours) & set(theirs)) == 26      # a new table is compared as well


def test_columns(file, hosted):
    ours, theirs = tables_of_sqlite(file), tables_of_postgres(hosted)
    wrong, compared = [], 0
    for table in sorted(set(ours) & set(theirs) - {"user_text"}):
        if list(ours[table]) != list(theirs[table]):
            wrong.append((table, list(ours[table]), list(theirs[table])))
            continue
        for column, (kind, filled, default) in ours[table].items():
            other, other_filled, other_default = theirs[table][column]
            compared += 1
            if other not in TYPES[kind]:
                wrong.append((table, column, kind, other))
            if table in VIEWS:
                continue
            if filled != other_filled or value_of(default, other) != value_of(other_default, other):
                wrong.append((table, column, filled, default, other_filled, other_default))
    assert not wrong
    assert compared > 200


def test_flags_are_boolean(file, hosted):
    """A column that SQLite keeps to 0 and 1 is BOOLEAN, and no other is."""
    flags = set()
    for table, text in file.rows("SELECT name, sql FROM sqlite_schema WHERE type = 'table'"):
        flags |= {(table, column) for column in re.findall(r"(\w+) INTEGER[^,]*CHECK \(\w+ IN \(0, 1\)\)", text)}
    theirs = {(table, column) for table, columns in tables_of_postgres(hosted).items() for column, (kind, _, _) in columns.items()
              if kind == "boolean"}
    assert theirs - {("schema_version", "one")} == flags
    assert len(flags) == 8


def test_texts_compare_by_bytes(hosted):
    """Every text has the collation C: orders and comparisons are those of SQLite in a database of any locale."""
    assert hosted.rows(
        "SELECT attrelid::regclass::text, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v') AND attnum > 0"
        " AND attcollation NOT IN (0, (SELECT oid FROM pg_collation WHERE collname = 'C'))") == []


def keys_of_sqlite(file, table):
    """The sets of columns that are unique, without conditions."""
    keys = {frozenset(column for column, place in file.rows(f"SELECT name, pk FROM pragma_table_info('{table}')") if place)}
    for name, unique, partial in file.rows(f"SELECT name, \"unique\", partial FROM pragma_index_list('{table}')"):
        if unique and not partial:
            keys.add(frozenset(column for (column,) in file.rows(f"SELECT name FROM pragma_index_info('{name}')")))
    return keys - {frozenset()}


def test_unique_keys(file, hosted):
    theirs = {}
    for table, columns in hosted.rows(
            "SELECT indrelid::regclass::text, (SELECT array_agg(attname::text) FROM pg_attribute WHERE attrelid = indrelid"
            " AND attnum = ANY (indkey)) FROM pg_index JOIN pg_class ON pg_class.oid = indrelid"
            " WHERE relnamespace = 'public'::regnamespace AND indisunique AND indpred IS NULL"):
        theirs.setdefault(table, set()).add(frozenset(columns))
    ours = {table: keys_of_sqlite(file, table) for table in tables_of_sqlite(file) if table not in ONLY_SQLITE}
    for view in VIEWS:       # its key, and the part
        theirs[view] = {key - {"part"} for key in theirs.pop(view + "_part")}
    for table in ONLY_POSTGRES:
        theirs.pop(table, None)
    assert ours == theirs
    assert sum(map(len, ours.values())) > 40


def test_references(file, hosted):
    ours = {(table, column, other, target, action) for table in tables_of_sqlite(file) if table not in ONLY_SQLITE
            for column, other, target, action in
            file.rows(f"SELECT \"from\", \"table\", \"to\", on_delete FROM pragma_foreign_key_list('{table}')")}
    actions = {"a": "NO ACTION", "c": "CASCADE", "n": "SET NULL"}
    theirs = {(table, column, other, target, actions[action]) for table, column, other, target, action in hosted.rows(
        "SELECT conrelid::regclass::text, ours.attname::text, confrelid::regclass::text, theirs.attname::text, confdeltype::text"
        " FROM pg_constraint JOIN pg_attribute AS ours ON ours.attrelid = conrelid AND ours.attnum = conkey[1]"
        " JOIN pg_attribute AS theirs ON theirs.attrelid = confrelid AND theirs.attnum = confkey[1] WHERE contype = 'f'")}
    assert ours == theirs
    assert len(ours) >= 14


def test_checks(file, hosted):
    """The values that a column takes: role IN ('user', 'admin', ...)."""
    ours = {(table, column): sorted(re.findall(r"'(\w+)'", values))
            for table, text in file.rows("SELECT name, sql FROM sqlite_schema WHERE type = 'table'")
            for column, values in re.findall(r"CHECK \((\w+) IN \(('[^)]*)\)\)", text)}
    theirs = {(table, column): sorted(re.findall(r"'(\w+)'", text)) for table, column, text in hosted.rows(
        "SELECT conrelid::regclass::text, attname::text, pg_get_constraintdef(pg_constraint.oid) FROM pg_constraint"
        " JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1] WHERE contype = 'c' AND conrelid <> 'schema_version'::regclass")}
    assert ours == theirs
    assert len(ours) >= 14


def test_foreign_keys_have_indexes(hosted):
    """A deletion looks for the rows that refer to it: without an index it reads the whole table."""
    assert hosted.rows(
        "SELECT conrelid::regclass::text, attname::text FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]"
        " WHERE contype = 'f' AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = conrelid AND indkey[0] = conkey[1])") == []
