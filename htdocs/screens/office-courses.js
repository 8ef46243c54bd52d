// Courses for the office: the list, their order, and the form of one.
import { get, request } from "../lib/api.js";
import { fill, h, icon } from "../lib/dom.js";
import { notify } from "../lib/dialog.js";
import { deleteButton, duplicateButton, editForm, publishSwitch } from "../lib/edit.js";
import { failureBox } from "../lib/failure.js";
import { textEditor } from "../lib/form.js";
import { makeList } from "../lib/list.js";
import { renumber } from "../lib/order.js";
import { go } from "../lib/route.js";
import { shape } from "../lib/schema.js";
import { sortable } from "../lib/sort.js";
import { LANGUAGES, money, number, t, valueLabel } from "../lib/text.js";

const PATH = "/courses";
const SCREEN = "/office/courses";
const LEVELS = ["A1", "A2", "B1", "B2", "C1", "C2"];

export function courses({ query }) {
	if (query.get("view") === "order")
		return arrange();
	const list = makeList({
		path: PATH, query, empty: t("courses.empty"),
		link: (course) => `#${SCREEN}/${course.id}`,
		columns: [
			{ key: "title", isSortable: true, cell: (course) => course.title },
			{ key: "language", cell: (course) => valueLabel(course.language) },
			{ key: "level", cell: (course) => course.level },
			{ key: "price", isSortable: true,
				cell: (course) => (course.price ? money(course.price, course.currency) : t("courses.free")) },
			{ key: "order", isSortable: true, cell: (course) => number(course.order) },
			{ key: "isPublished", cell: (course) => publishSwitch(PATH, course) },
		],
		filters: [
			{ name: "language", choices: Object.keys(LANGUAGES).map((code) => [code, valueLabel(code)]) },
			{ name: "level", choices: LEVELS.map((level) => [level, level]) },
		],
		actions: (course) => [
			duplicateButton(PATH, SCREEN, course, true),
			deleteButton(PATH, course, t("office-courses.delete-text"), () => list.reload(), true),
		],
	});
	return [
		h("div", { class: "head" }, h("h1", {}, t("menu./office/courses")),
			h("div", { class: "actions" },
				h("a", { class: "button", href: `#${SCREEN}?view=order` }, icon("drag"), t("office-courses.arrange")),
				h("a", { class: "button primary", href: `#${SCREEN}/new` }, icon("plus"), t("office-courses.new")))),
		list,
	];
}

/** All rows of a list of the API, page by page. */
async function all(path, query) {
	const rows = [];
	for (let page = 1, pages = 1; page <= pages; page++) {
		const { items, pagination } = await get(path, { ...query, page, limit: 100 });
		rows.push(...items);
		pages = pagination.totalPages;
	}
	return rows;
}

/** The order in which learners see the courses. Each move is saved at once; moves made meanwhile are saved after it. */
async function arrange() {
	const rows = await all(PATH, { sort: "order" });
	const list = h("ol", { class: "plain-list sortable" });
	const problem = h("div", {});
	const items = new Map();
	const order = sortable(list, { nameOf: (item) => items.get(item).title, onMoved: save });
	let saving = null;
	let isAgain = false;
	for (const course of rows) {
		const item = h("li", { class: "part-head" });
		items.set(item, course);
		fill(item, order.handle(item),
			h("span", { class: "part-title" }, course.title, !course.isPublished && h("span", { class: "tag warn" }, t("draft"))),
			h("span", { class: "row-actions" }, order.buttons(item)));
		list.append(item);
	}
	order.relabel();

	async function save() {
		isAgain = true;
		saving ??= (async () => {
			while (isAgain) {
				isAgain = false;
				const now = [...list.children].map((item) => items.get(item));
				for (const [place, value] of renumber(now.map((course) => course.order))) {
					await request("PATCH", `${PATH}/${now[place].id}`, { body: { order: value } });
					now[place].order = value;
				}
			}
		})();
		try {
			await saving;
			fill(problem);
			notify(t("office-courses.arranged"));
		} catch (error) {
			fill(problem, failureBox(error, save));
		}
		saving = null;
	}

	return [
		h("p", {}, h("a", { href: `#${SCREEN}` }, t("courses.all"))),
		h("h1", {}, t("office-courses.arrange")),
		h("p", {}, t("office-courses.arrange-text")),
		problem,
		rows.length ? list : h("p", { class: "nothing" }, t("courses.empty")),
	];
}

export async function course({ params }) {
	const isNew = params.id === "new";
	const [opened, fields] = await Promise.all([
		isNew ? null : request("GET", `${PATH}/${params.id}`), shape(isNew ? "CreateCourseDto" : "UpdateCourseDto"),
	]);
	const title = h("h1", {}, opened?.data.title ?? t("office-courses.new"));
	const form = editForm(fields, {
		path: PATH, screen: SCREEN, opened, editors: { description: textEditor },
		first: ["title", "description", "language", "level", "price", "currency", "durationWeeks", "imageUrl", "order",
			"isPublished"],
		onSaved: (data) => (title.textContent = data.title),
	});
	return [
		h("p", {}, h("a", { href: `#${SCREEN}` }, t("courses.all"))),
		h("div", { class: "head" }, title, opened && h("div", { class: "actions" },
			h("a", { class: "button", href: `#/courses/${opened.data.id}` }, t("see-as-learner")),
			duplicateButton(PATH, SCREEN, opened.data),
			deleteButton(PATH, opened.data, t("office-courses.delete-text"), () => {
				form.keep();
				go(SCREEN);
			}))),
		form,
	];
}
