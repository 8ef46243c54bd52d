/* Statements of okul in the dialect of PostgreSQL: lib/store/sql.h says what differs. */
#include "postgres.h"

#include "buf.h"

#define EITHER_BEGIN "/*<*/"
#define EITHER_OTHER "/*|"
#define EITHER_END ">*/"

static bool
begins_with(const char *s, const char *start)
{
	return strncmp(s, start, strlen(start)) == 0;
}

/* Behind the first `end`, or at the end of the text. */
static const char *
skip_to(const char *s, const char *end)
{
	const char *found = strstr(s, end);

	return found ? found + strlen(end) : s + strlen(s);
}

/* Copies a string or a quoted name, which `s` begins with; a doubled quote continues it. */
static const char *
copy_quoted(struct buf *out, const char *s)
{
	const char *end = strchr(s + 1, *s);

	end = end ? end + 1 : s + strlen(s);
	buf_put(out, s, (size_t)(end - s));
	return end;
}

char *
dialect_translate(const char *sql)
{
	struct buf out = { 0 };

	while (*sql && !out.failed) {
		if (begins_with(sql, EITHER_BEGIN))
			sql = skip_to(sql, EITHER_OTHER);
		else if (begins_with(sql, EITHER_END))
			sql += strlen(EITHER_END);
		else if (begins_with(sql, "/*"))
			sql = skip_to(sql, "*/");
		else if (*sql == '\'' || *sql == '"')
			sql = copy_quoted(&out, sql);
		else
			buf_putc(&out, *sql == '?' ? '$' : *sql), sql++;
	}
	buf_put(&out, "", 0); /* a text, even of nothing */
	return out.failed ? buf_clear(&out), NULL : out.s;
}
