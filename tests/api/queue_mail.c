/*
 * Writes login mails into the outbox, as a program would, and wakes the sender:
 *
 *	queue_mail DATA LANGUAGE SECONDS (TO CODE)...	a life of 0 seconds: the outbox's own default
 */
#include "arena.h"
#include "clock.h"
#include "conf.h"
#include "db.h"
#include "mail.h"
#include "text.h"

static bool
queue(struct db *db, const struct conf *conf, struct arena *arena, enum language language, int64_t life,
	const char *to, const char *code)
{
	const struct mail_value values[] = { { "code", code }, { "minutes", "10" }, { "school", conf->mail_name } };
	int64_t now = clock_now();

	return mail_queue(db, conf, arena, now, life ? now + life * SECOND : 0, to, language, "login-code", values,
		COUNT(values)) == DB_DONE;
}

int
main(int argc, char **argv)
{
	enum language language;
	char why[500] = "usage";
	int64_t life;

	clock_init();
	struct arena *arena = arena_new(65536);
	const struct conf *conf = argc > 4 ? conf_load(argv[1], why, sizeof(why)) : NULL;
	struct db *db = conf ? db_open(conf->data, DB_READ_WRITE, 0, why, sizeof(why)) : NULL;
	bool good = db && language_of(argv[2], &language) && text_to_int(argv[3], 0, 1000000, &life) &&
		db_write_begin(db) == DB_DONE;

	for (int i = 4; good && i + 1 < argc; i += 2)
		good = queue(db, conf, arena, language, life, argv[i], argv[i + 1]);
	if (!good || db_write_commit(db) != DB_DONE) {
		fprintf(stderr, "queue_mail: %s\n", why);
		return 1;
	}
	mail_wake(conf);
	db_close(db);
	arena_free(arena);
	return 0;
}
