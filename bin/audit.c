/* okulctl audit - who changed what on whom. */
#include "okulctl.h"
#include "sql.h"

#include "clock.h"
#include "text.h"

#include <getopt.h>

static command_call run_audit;

static const struct db_statements statements;

const struct command command_audit = {
	.name = "audit",
	.usage = "[OPTION...]",
	.summary = "list who changed what on whom, newest first",
	.help = "One line a change, separated by tabs, under a line of headings. Times are UTC.\n"
		"--subject EMAIL|ID  on whom: all changes of the user who has or had that\n"
		"                    address, also under another one\n"
		"--actor EMAIL|ID    by whom; \"operator\" for changes by okulctl\n"
		"--action PREFIX     what: \"user.role\", or \"user.\" for all that begin with it\n"
		"--since YYYY-MM-DD  from that day on (UTC)\n"
		"--limit N           at most so many lines; 100 by default\n",
	.run = run_audit,
	.statements = &statements,
};

#define LIMIT_MAX 1000000

enum { NEWEST, OF_SUBJECT };

/* ?1 subject, ?2 actor, ?3 beginning of action, ?4 since, ?5 limit */
#define LIST(who) \
	"SELECT " SQL_SECOND_TEXT( \
		"at") " AS at," \
		      " CASE WHEN actor_id IS NULL THEN 'operator' ELSE coalesce(actor_email, actor_id) END AS actor, action," \
		      " subject, subject_id, coalesce(before, '-') AS before, coalesce(after, '-') AS after FROM audit WHERE " who \
		      " AND (CAST(?2 AS TEXT) IS NULL OR actor_email = ?2 OR actor_id = ?2" \
		      " OR (?2 = 'operator' AND actor_id IS NULL))" \
		      " AND (CAST(?3 AS TEXT) IS NULL OR substr(action, 1, length(?3)) = ?3) AND audit.at >= ?4" \
		      " ORDER BY pk DESC LIMIT ?5"

static const char *const sql[] = {
	[NEWEST] = LIST("CAST(?1 AS TEXT) IS NULL") " /* scans: audit */",
	/* An address may change, an id does not: finds all ids that have or had the address. */
	[OF_SUBJECT] = LIST("subject_id IN (SELECT id FROM users WHERE email = ?1 UNION SELECT ?1"
			    " UNION SELECT subject_id FROM audit AS other WHERE other.subject = ?1 /* scans: other */)"),
};
static const struct db_statements statements = { sql, COUNT(sql) };

struct wanted {
	char *subject, *actor, *action;
	int64_t since, limit;
};

static bool
read_wanted(int argc, char **argv, struct wanted *wanted)
{
	static const struct option options[] = {
		{ "subject", required_argument, NULL, 's' },
		{ "actor", required_argument, NULL, 'a' },
		{ "action", required_argument, NULL, 'c' },
		{ "since", required_argument, NULL, 'f' },
		{ "limit", required_argument, NULL, 'n' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			wanted->subject = optarg;
		else if (option == 'a')
			wanted->actor = optarg;
		else if (option == 'c')
			wanted->action = optarg;
		else if (option == 'f' && clock_is_date(optarg))
			wanted->since = clock_date(optarg);
		else if (option == 'f')
			return ctl_fail("--since %s: must be a day like 2026-01-31", optarg);
		else if (option == 'n' && !text_to_int(optarg, 1, LIMIT_MAX, &wanted->limit))
			return ctl_fail("--limit %s: must be a number from 1 to %d", optarg, LIMIT_MAX);
		else if (option == '?')
			return ctl_fail("`okulctl audit --help` lists the options");
	}
	if (optind < argc)
		return ctl_fail("\"%s\" is not an option; did you mean --subject %s?", argv[optind], argv[optind]);
	/* Addresses and ids are stored in lower case. */
	if (wanted->subject)
		text_lower(wanted->subject);
	if (wanted->actor)
		text_lower(wanted->actor);
	return true;
}

static int
run_audit(int argc, char **argv, const char *data)
{
	struct wanted wanted = { .since = INT64_MIN, .limit = 100 };
	int64_t count;

	if (!read_wanted(argc, argv, &wanted))
		return EXIT_USAGE;
	return ctl_table(data, sql[wanted.subject ? OF_SUBJECT : NEWEST],
		ARGS(wanted.subject, wanted.actor, wanted.action, wanted.since, wanted.limit), &count);
}
