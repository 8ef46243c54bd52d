/* A new schema in an empty database. */
#include "admin.h"

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
	good = good && db_script(db, schema, false, why, room) == DB_DONE;
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
