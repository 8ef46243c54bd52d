/*
 * demo - a made-up school, part by part. Each part has its own random series: more results, for example, do not
 * change the users. A part runs outside of a write transaction and returns DB_DONE or what failed.
 */
#ifndef OKUL_DEMO_H
#define OKUL_DEMO_H

#include "arena.h"
#include "base.h"
#include "conf.h"
#include "db.h"
#include "sentence.h"

struct demo_user {
	int64_t pk, created, last_login, stored_login;	/* stored_login: what the row says now */
	bool is_staff, may_learn;	/* may_learn: registered and active */
	enum language language;
};

struct timeline {
	int64_t start, hours, hour, count, next;
	double *sums;			/* of the weights up to each hour */
};

struct demo {
	const struct conf *conf;
	struct db *db;
	struct arena *run, *batch;	/* of the whole run; of the current batch */
	uint64_t seed;			/* of all parts */
	uint64_t chance;		/* state of the series of this part */
	int64_t start, until;		/* the year that is shown */
	struct timeline line;		/* of this part */
	int64_t users, results, contacts, courses;	/* how many */
	struct demo_user *user;		/* `users`, oldest first */
	int64_t *learners, learner_count;	/* places in `user` of those who may learn */
	int64_t staff;			/* how many at the start of `user` are staff */
	int64_t materials, files, assignments, opened;	/* how many were made */
};

/* ---- random numbers: the same for the same seed */

/* Starts the series of a part. */
void demo_series(struct demo *d, const char *part);
/* A number in [0, limit). */
int64_t demo_below(struct demo *d, int64_t limit);
/* A number in [0, 1), and one of the standard normal distribution. */
double demo_real(struct demo *d);
double demo_normal(struct demo *d);
bool demo_happens(struct demo *d, double probability);
#define DEMO_PICK(d, list) ((list)[demo_below((d), COUNT(list))])
/* random_id() for a row of that time, in the arena of the batch. */
const char *demo_id(struct demo *d, int64_t time);

/* ---- times that rise, more of them where schools have more to do */

/* Starts a timeline of `count` times between two. */
void demo_times(struct demo *d, int64_t start, int64_t until, int64_t count);
/* The next of them. */
int64_t demo_time(struct demo *d);

/* A learner who was registered before `time`, more likely a recent one. NULL when there is none. */
struct demo_user *demo_learner(struct demo *d, int64_t time);

/* ---- parts */

/* Rows of one kind: each is made before the write transaction of its batch, and added inside it. */
struct demo_kind {
	size_t size;			/* bytes of what make() fills in, zeroed before; its texts belong in d->batch */
	int64_t batch;			/* rows a transaction: some tenths of a second */
	void (*make)(struct demo *d, int64_t i, void *row);	/* NULL: nothing to prepare */
	void (*add)(struct demo *d, int64_t i, const void *row);	/* a failed write sticks to db; may be called again */
};
/* Makes and writes `count` rows. */
must_use enum db_rc demo_write(struct demo *d, int64_t count, const struct demo_kind *kind);

extern const struct db_statements demo_results_statements;

/* A name that is common in the language, and an address made of it, which others may have too. In d->batch. */
struct demo_name { const char *name, *surname, *handle, *address; bool female; };
struct demo_name demo_name(struct demo *d, enum language language);
/* A language, as often as people speak it. */
enum language demo_language(struct demo *d);

/* The parts, in the order of demo.c. Each returns DB_DONE or the failure that ended it. */
must_use enum db_rc demo_make_users(struct demo *d);
must_use enum db_rc demo_make_logins(struct demo *d);	/* after all other parts */
must_use enum db_rc demo_make_courses(struct demo *d);
must_use enum db_rc demo_make_settings(struct demo *d);
must_use enum db_rc demo_make_contacts(struct demo *d);
must_use enum db_rc demo_make_results(struct demo *d);	/* and the tests */
must_use enum db_rc demo_make_materials(struct demo *d);	/* and what is assigned */

/* ---- placement tests */

#define DEMO_OPTIONS 4
struct demo_question {
	const char *text, *option[DEMO_OPTIONS];	/* the first is right */
	double points, difficulty;	/* difficulty: the ability at which half know the answer without guessing */
	double discrimination;		/* how well it separates those above from those below */
};
struct demo_test {
	const char *title, *description, *language;
	int64_t minutes;		/* 0: no limit */
	const struct demo_question *questions;
	int count;
};
extern const struct demo_test demo_tests[2];

#endif
