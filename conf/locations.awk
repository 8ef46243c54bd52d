# Fills the path tables of nginx and Apache into their templates, from the routes that the programs print:
#
#     for p in build/*.fcgi; do $p --routes; done >ROUTES; awk -f conf/locations.awk ROUTES conf/nginx/locations.conf
#
# A program gets each path prefix below which it has routes: /courses for /courses/{id}. Behind a prefix that several programs share,
# /admin or /api/v1, the next segment belongs to it too. The program that serves / would get everything, so its paths are exact.
# In a template a line @NGINX@, @APACHE@ or @HTACCESS@ is replaced by the table, @UPLOADS@ by the paths that take files, joined
# by |, and @UPLOADERS@ by their programs. @README@ is replaced by rows that lint compares with README.md: the groups whose paths
# are not only those below their own name.

BEGIN { FS = "\t" }

FNR == 1 { file++ }

file == 1 && $1 != "program" && $1 != "" {
	if ($3 == "/")
		exact[$1] = 1
	routes[++n] = $0
}

function fail(message) {
	print "conf/locations.awk: " message >"/dev/stderr"
	failed = 1
	exit 1
}

# The prefix of a path by which the web server finds its program.
function prefix(path) {
	if (match(path, /^(\/admin|\/api\/v[0-9]+)?\/[^\/{]+/))
		return substr(path, 1, RLENGTH)
	fail(path ": a path must begin with a fixed segment, by which the web server finds its program")
}

function join(list, word) {
	return list == "" ? word : list "|" word
}

# Reads the rows. A fixed path that takes nothing but files gets a location; other uploads belong to the prefix, which is mixed then.
function read_table(    i, row, at, program) {
	for (i = 1; i <= n; i++) {
		split(routes[i], row, FS)
		program = row[1]
		if (exact[program] && row[3] ~ /{/)
			fail(row[3] ": " program " serves /, so each of its paths must be fixed")
		at = exact[program] ? row[3] : prefix(row[3])
		if (at in owner && owner[at] != program)
			fail(at ": " owner[at] " and " program " both have routes there; each group needs a prefix of its own")
		if (!(at in owner)) {
			owner[at] = program
			order[++count] = at
		}
		if (row[7] !~ /[+]/) {
			plain[row[3]] = 1
			continue
		}
		takes_files[program] = 1
		if (row[3] != at && row[3] !~ /{/)
			own[row[3]] = at
		else
			mixed[at] = 1
	}
	for (i in own)
		if (i in plain || own[i] in mixed) {
			mixed[own[i]] = 1
			delete own[i]
		}
	for (i = 1; i <= n; i++) {
		split(routes[i], row, FS)
		if (row[3] in own && !seen[row[3]]++)
			uploads = join(uploads, substr(row[3], 2))
	}
	for (i = 1; i <= count; i++) {
		if (order[i] in mixed)
			uploads = join(uploads, substr(order[i], 2))
		if (takes_files[owner[order[i]]] && !named[owner[order[i]]]++)
			uploaders = join(uploaders, owner[order[i]])
	}
}

function nginx(    i, at, path) {
	for (i = 1; i <= count; i++) {
		at = order[i]
		printf "location %-22s { ", exact[owner[at]] ? "= " at : at
		if (at in mixed)
			printf "client_max_body_size 100m; set $okul_taker %s; rewrite ^ $okul_way last; }\n", owner[at]
		else
			printf "fastcgi_pass unix:/run/okul/%s.sock; }\n", owner[at]
		for (path in own)
			if (own[path] == at)
				printf "location %-22s { client_max_body_size 100m; set $okul_taker %s; rewrite ^ /_upload last; }\n",
					"= " path, owner[at]
	}
}

# The paths of the program that serves /, as one expression without that slash.
function exact_paths(program,    i, list) {
	for (i = 1; i <= count; i++)
		if (owner[order[i]] == program && order[i] != "/")
			list = join(list, substr(order[i], 2))
	return "(" list ")?$"
}

function apache(    i, at, socket) {
	for (i = 1; i <= count; i++) {
		at = order[i]
		socket = "\"unix:/run/okul/" owner[at] ".sock|fcgi://" owner[at]
		if (at == "/")
			printf "ProxyPassMatch \"^/%s\" %s/\" retry=0\n", exact_paths(owner[at]), socket
		else if (!exact[owner[at]])
			printf "ProxyPass %-20s %s%s\" retry=0\n", at, socket, at
	}
}

function htaccess(    i, at, list, done) {
	for (i = 1; i <= count; i++) {
		at = order[i]
		if (exact[owner[at]])
			list[owner[at]] = exact_paths(owner[at])
		else
			list[owner[at]] = join(list[owner[at]], substr(at, 2))
	}
	for (i = 1; i <= count; i++) {
		at = owner[order[i]]
		if (!done[at]++)
			printf "RewriteRule ^%s cgi-bin/%s.fcgi [END]\n", exact[at] ? list[at] : "(" list[at] ")(/|$)", at
	}
}

function readme(    i, n_named, program, list, names, names_of) {
	for (i = 1; i <= count; i++) {
		program = owner[order[i]]
		if (!(program in list))
			names = names " " program
		list[program] = list[program] " `" order[i] (exact[program] ? "`" : "...`")
	}
	n_named = split(substr(names, 2), names_of, " ")
	for (i = 1; i <= n_named; i++)
		if (list[names_of[i]] != " `/" names_of[i] "...`")
			printf "| %s |%s |\n", names_of[i], list[names_of[i]]
}

file == 2 {
	if (FNR == 1)
		read_table()
	if (/^@NGINX@$/)
		nginx()
	else if (/^@APACHE@$/)
		apache()
	else if (/^@HTACCESS@$/)
		htaccess()
	else if (/^@README@$/)
		readme()
	else {
		gsub(/@UPLOADS@/, uploads)
		gsub(/@UPLOADERS@/, uploaders)
		print
	}
}

END { exit failed }
