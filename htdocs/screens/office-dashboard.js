// The school in numbers. Each number leads to the list behind it.
import { get } from "../lib/api.js";
import { fill, h } from "../lib/dom.js";
import { failureBox } from "../lib/failure.js";
import { plot } from "../lib/plot.js";
import { changeQuery } from "../lib/route.js";
import { language, number, percent, t, time, valueLabel } from "../lib/text.js";

const MONTHS = [3, 6, 12, 24];

export async function dashboard({ query }) {
	const box = h("div", {});
	const select = h("select", { "aria-label": t("dashboard.months"), value: query.get("months") ?? "6", onchange: async () => {
		changeQuery({ months: select.value });
		await load();
	} }, MONTHS.map((n) => h("option", { value: n }, t("dashboard.last-months", { n }))));
	await load();
	return [h("div", { class: "head" }, h("h1", {}, t("menu./office")), h("div", { class: "actions" }, select)), box];

	async function load() {
		try {
			fill(box, content(await get("/admin/dashboard/stats", { months: select.value })));
		} catch (error) {
			fill(box, failureBox(error, load));
		}
	}
}

function content({ overview, trends, distributions, recentActivity, generatedAt }) {
	const { users, courses, tests, contacts, materials } = overview;
	return [
		h("div", { class: "cards numbers" },
			card("users", "/office/users", users.total, [
				["dashboard.completed", percent(users.completionRate)], ["dashboard.admins", number(users.admins)],
				["dashboard.new", number(users.newLast30Days)], ["dashboard.growth", growth(users.monthlyGrowthRate)]]),
			card("tests", "/office/results", tests.totalSubmissions, [
				["dashboard.tests", number(tests.totalTests)], ["dashboard.average", percent(tests.averageScore)],
				["dashboard.new", number(tests.submissionsLast30Days)], ["dashboard.growth", growth(tests.monthlyGrowthRate)]]),
			card("contacts", "/office/contacts?status=PENDING", contacts.pending, [
				["dashboard.all-contacts", number(contacts.total)], ["dashboard.reply-rate", percent(contacts.replyRate)],
				["dashboard.new", number(contacts.newLast30Days)]]),
			card("materials", "/office/materials", materials.total, [
				["dashboard.assignments", number(materials.assignments)], ["dashboard.assigned-users", number(materials.assignedUsers)],
				["dashboard.per-user", number(materials.avgAssignmentsPerUser)], ["dashboard.new", number(materials.assignmentsLast30Days)]]),
			card("courses", "/office/courses", courses.total, [])),
		h("section", {}, h("h2", {}, t("dashboard.trends")), trendPlot(trends)),
		h("div", { class: "plots" },
			distribution("dashboard.levels", distributions.levels, "bar"),
			distribution("dashboard.roles", distributions.roles, "doughnut"),
			distribution("dashboard.contacts-by-status", distributions.contactsByStatus, "doughnut"),
			h("section", {}, h("h2", {}, t("dashboard.languages")), distributions.languages.length
				? table(["field.targetLanguage", "dashboard.submissions", "dashboard.average"],
					distributions.languages.map((one) => [valueLabel(one.key), number(one.submissions), percent(one.averageScore)]))
				: h("p", { class: "nothing" }, t("dashboard.nothing")))),
		h("div", { class: "plots" },
			recent("dashboard.newest-contacts", recentActivity.contacts, (one) => ({
				href: `#/office/contacts/${one.id}`, title: one.fullName, detail: [one.email, valueLabel(one.status), time(one.createdAt)] })),
			recent("dashboard.newest-results", recentActivity.testResults, (one) => ({
				href: `#/office/results/${one.id}`, title: `${one.level} · ${one.userName || one.userEmail}`, detail: [one.testTitle, percent(one.totalScore), time(one.completedAt)] }))),
		h("p", { class: "hint" }, t("dashboard.at", { time: time(generatedAt) })),
	];
}

const growth = (rate) => `${rate > 0 ? "+" : ""}${percent(rate)}`;

function card(name, path, total, facts) {
	return h("a", { class: "card", href: `#${path}` },
		h("span", { class: "hint" }, t(`dashboard.card.${name}`)), h("strong", { class: "big" }, number(total)),
		facts.map(([key, value]) => h("span", { class: "fact" }, h("span", {}, t(key)), h("span", {}, value))));
}

function trendPlot(trends) {
	const label = (month) => new Intl.DateTimeFormat(language(), { month: "short", year: "numeric", timeZone: "UTC" }).format(new Date(`${month}-15T00:00:00Z`));
	const series = ["users", "testSubmissions", "contacts", "materialAssignments"];
	const labels = trends.map((one) => label(one.month));
	return [
		plot({ type: "line", title: t("dashboard.trends"), labels, series: series.map((name) => ({ label: t(`dashboard.series.${name}`), values: trends.map((one) => one[name]) })) }),
		h("details", {}, h("summary", {}, t("dashboard.as-table")),
			table(["dashboard.month", ...series.map((name) => `dashboard.series.${name}`)], trends.map((one, i) => [labels[i], ...series.map((name) => number(one[name]))]))),
	];
}

function distribution(key, items, type) {
	const some = items.filter((one) => one.count);
	return h("section", {}, h("h2", {}, t(key)), some.length ? [
		plot({ type, title: t(key), labels: items.map((one) => valueLabel(one.key)), series: [{ label: t("dashboard.count"), values: items.map((one) => one.count) }] }),
		h("details", {}, h("summary", {}, t("dashboard.as-table")),
			table([key, "dashboard.count", "dashboard.share", "averageScore" in items[0] && "dashboard.average"].filter(Boolean),
				items.map((one) => [valueLabel(one.key), number(one.count), percent(one.percentage), "averageScore" in one && percent(one.averageScore)].filter((cell) => cell !== false)))),
	] : h("p", { class: "nothing" }, t("dashboard.nothing")));
}

function table(headings, rows) {
	return h("div", { class: "scroll", tabindex: 0 }, h("table", {},
		h("thead", {}, h("tr", {}, headings.map((key, i) => h("th", { scope: "col", class: i ? "number" : null }, t(key))))),
		h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell, i) => h(i ? "td" : "th", { scope: i ? null : "row", class: i ? "number" : null }, cell)))))));
}

function recent(key, items, show) {
	return h("section", {}, h("h2", {}, t(key)), items.length ? h("ul", { class: "plain-list" }, items.map(show).map(({ href, title, detail }) =>
		h("li", { class: "row-card" }, h("div", {}, h("a", { href }, title), h("p", { class: "hint" }, detail.join(" · ")))))) : h("p", { class: "nothing" }, t("dashboard.nothing")));
}
