// The results of all learners.
import { get, request } from "../lib/api.js";
import { confirmDestruction, notify } from "../lib/dialog.js";
import { h, icon } from "../lib/dom.js";
import { busy, failureBox } from "../lib/failure.js";
import { makeList } from "../lib/list.js";
import { percent, t, time, valueLabel } from "../lib/text.js";
import { csv } from "./office-users.js";
import { shownResult } from "./results.js";

const LEVELS = ["A1", "A2", "B1", "B2", "C1", "C2"];
const RESULTS = "/proficiency-tests/admin/results";

export async function results({ query }) {
	const [tests, { languages }] = await Promise.all([get("/proficiency-tests", { limit: 100, sort: "title" }), get("/proficiency-tests/target-languages")]);
	return [
		h("div", { class: "head" }, h("h1", {}, t("menu./office/results")),
			h("div", { class: "actions" }, h("button", { type: "button", onclick: (event) => csv(event.currentTarget, RESULTS, query, "results.csv") }, icon("download"), "CSV"))),
		makeList({
			path: RESULTS, query, empty: t("office-results.empty"),
			link: (result) => `#/office/results/${result.id}`,
			columns: [
				{ key: "user", label: t("users.name"), cell: (result) => [result.user.name, result.user.surname].filter(Boolean).join(" ") || result.user.email },
				{ key: "test", label: t("results.test"), cell: (result) => result.test.title },
				{ key: "level", cell: (result) => h("strong", {}, result.level) },
				{ key: "totalScore", isSortable: true, cell: (result) => percent(result.totalScore) },
				{ key: "completedAt", isSortable: true, cell: (result) => time(result.completedAt) },
			],
			filters: [
				{ name: "testId", label: t("results.test"), choices: tests.items.map((test) => [test.id, test.title]) },
				{ name: "level", choices: LEVELS.map((level) => [level, level]) },
				{ name: "targetLanguage", choices: languages.map((code) => [code, valueLabel(code)]) },
				{ name: "from", label: t("list.from"), type: "date" },
				{ name: "to", label: t("list.to"), type: "date" },
			],
		}),
	];
}

export async function result({ params }) {
	const path = `${RESULTS}/${params.id}`;
	const { data, etag } = await request("GET", path);
	const test = await get(`/proficiency-tests/${data.test.id}`).catch(() => null);
	const problem = h("div", {});
	return [
		h("p", {}, h("a", { href: "#/office/results" }, t("office-results.all"))),
		h("p", {}, h("a", { href: `#/office/users/${data.user.id}` }, [data.user.name, data.user.surname].filter(Boolean).join(" ") || data.user.email), ` · ${data.user.email}`),
		shownResult(data, test),
		problem,
		h("div", { class: "actions" }, h("button", { type: "button", class: "danger", onclick: async (event) => {
			const button = event.currentTarget;
			if (!(await confirmDestruction({ title: t("office-results.delete"), text: t("office-results.delete-ask"), action: t("delete") })))
				return;
			try {
				await busy(button, () => request("DELETE", path, { etag }));
				notify(t("deleted"));
				location.replace("#/office/results");
			} catch (error) {
				problem.replaceChildren(failureBox(error));
			}
		} }, icon("trash"), t("office-results.delete"))),
	];
}
