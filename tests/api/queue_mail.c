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

static struct outbox_new
seal(const struct conf *conf, struct arena *arena, enum language language, int64_t life, const char *to, const char *code)
{
	const struct mail_value values[] = { { "code", code }, { "minutes", "10" }, { "school", conf->mail_name } };
	int64_t now = clock_now();

	return mail_seal(conf, arena, now, life ? now + life * SECOND : 0, to, language, "login-code", values, COUNT(values));
}

int
main(int argc, char **argv)
{
	enum language language;
	char why[500] = "usage";
	int64_t life;
	int count = (argc - 4) / 2;

	clock_init();
	struct arena *arena = arena_new(65536);
	const struct conf *conf = argc > 4 ? conf_load(argv[1], why, sizeof(why)) : NULL;
	struct db *db = conf ? db_open(conf->database, DB_READ_WRITE, 0, why, sizeof(why)) : NULL;
	bool good = db && language_of(argv[2], &language) && text_to_int(argv[3], 0, 1000000, &life);
	struct outbox_new *mails = good ? arena_alloc(arena, (size_t)count * sizeof(*mails)) : NULL;

	for (int i = 0; good && i < count; i++)
		mails[i] = seal(conf, arena, language, life, argv[4 + 2 * i], argv[5 + 2 * i]);
	good = good && db_write_begin(db) == DB_DONE;
	for (int i = 0; good && i < count; i++)
		outbox_add(db, &mails[i]);
	if (!good || db_failure(db) != DB_DONE || db_write_commit(db) != DB_DONE) {
		fprintf(stderr, "queue_mail: %s\n", why);
		return 1;
	}
	mail_wake(conf);
	db_close(db);
	arena_free(arena);
	return 0;
}
