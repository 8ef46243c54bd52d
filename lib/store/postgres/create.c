/* A new schema in an empty database. */
#include "admin.h"

#include "buf.h"
#include "fold.h"
#include "utf8.h"

#define POINT_MOST 0x10ffff /* of Unicode */
#define SURROGATES 0xd800   /* and the 2,047 behind it are no characters */

/*
 * What each code point is folded to, if that is not itself, so that the server folds as fold_text() does: it folds each
 * code point by itself.
 */
static void
put_letters(struct buf *out)
{
	struct buf folded = { 0 };
	bool first = true;
	char point[4];

	buf_puts(out, "INSERT INTO okul_letter (point, folded) VALUES");
	for (int32_t at = 1; at <= POINT_MOST; at++) {
		if (at == SURROGATES)
			at = SURROGATES + 2048;
		size_t length = utf8_encode(at, point);
		folded.length = 0;
		fold_text(&folded, point, length);
		if (folded.length == length && memcmp(folded.s, point, length) == 0)
			continue;
		buf_printf(out, "%s(%d,'", first ? "" : ",", (int)at);
		for (size_t i = 0; i < folded.length; i++)
			buf_puts(out, folded.s[i] == '\'' ? "''" : (char[]){ folded.s[i], '\0' });
		buf_puts(out, "')");
		first = false;
	}
	buf_clear(&folded);
}

static bool
fill(struct db *db, const char *schema, char *why, size_t room)
{
	struct buf script = { 0 };

	buf_puts(&script, schema);
	put_letters(&script);
	bool good = script.failed ? text_complain(why, room, "out of memory")
				  : db_script(db, script.s, false, why, room) == DB_DONE;
	buf_clear(&script);
	if (!good && strstr(why, "permission denied")) {
		size_t length = strlen(why);
		snprintf(why + length, room - length,
			"; run this as the owner of the database, okul_migrate in conf/postgres/roles.sql");
	}
	return good;
}

bool
admin_create(const char *place, const char *schema, char *why, size_t room)
{
	struct db *db = db_open(place, DB_READ_WRITE, 0, why, room);
	int version = 0;

	if (!db)
		return false;
	bool good = db_alive(db, &version);
	if (!good)
		text_complain(why, room, "the database cannot be read; the log has the reason");
	else if (version > 0)
		good = text_complain(why, room, "the database has a schema already");
	db_release(db);
	good = good && fill(db, schema, why, room);
	db_close(db);
	return good;
}

/* A restored dump needs nothing more. */
bool
admin_adopt(const char *place, char *why, size_t room)
{
	(void)place, (void)why, (void)room;
	return true;
}

/* A server keeps what was moved away from it. */
bool
admin_set_aside(const char *place, const char *path, char *why, size_t room)
{
	(void)place, (void)path, (void)why, (void)room;
	return true;
}

void
admin_discard(const char *place)
{
	(void)place;
}
