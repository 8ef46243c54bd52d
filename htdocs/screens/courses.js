// The courses of the school, as everybody sees them.
import { get } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { makeList } from "../lib/list.js";
import { LANGUAGES, money, t, valueLabel } from "../lib/text.js";

const LEVELS = ["A1", "A2", "B1", "B2", "C1", "C2"];

export function courses({ query }) {
	return [
		h("h1", {}, t("menu./courses")),
		makeList({
			path: "/courses", query, empty: t("courses.empty"),
			link: (course) => `#/courses/${course.id}`,
			columns: [
				{ key: "title", isSortable: true, cell: (course) => [course.title, !course.isPublished && h("span", { class: "tag warn" }, t("draft"))] },
				{ key: "language", cell: (course) => valueLabel(course.language) },
				{ key: "level", cell: (course) => course.level },
				{ key: "durationWeeks", label: t("courses.duration"), cell: (course) => course.durationWeeks && t("courses.weeks", { n: course.durationWeeks }) },
				{ key: "price", isSortable: true, cell: priceOf },
			],
			filters: [
				{ name: "language", choices: Object.keys(LANGUAGES).map((code) => [code, valueLabel(code)]) },
				{ name: "level", choices: LEVELS.map((level) => [level, level]) },
			],
		}),
	];
}

const priceOf = (course) => (course.price ? money(course.price, course.currency) : t("courses.free"));

export async function course({ params, user }) {
	const found = await get(`/courses/${params.id}`);
	return [
		h("p", {}, h("a", { href: "#/courses" }, t("courses.all"))),
		h("h1", {}, found.title),
		ownImage(found.imageUrl),
		h("dl", { class: "facts" },
			h("dt", {}, t("field.language")), h("dd", {}, valueLabel(found.language)),
			found.level && [h("dt", {}, t("field.level")), h("dd", {}, found.level)],
			found.durationWeeks && [h("dt", {}, t("courses.duration")), h("dd", {}, t("courses.weeks", { n: found.durationWeeks }))],
			h("dt", {}, t("field.price")), h("dd", {}, priceOf(found))),
		h("p", { class: "text" }, found.description),
		h("div", { class: "actions" },
			h("a", { class: "button primary", href: `#/contact?subject=${encodeURIComponent(found.title)}` }, t("courses.ask")),
			user && user.role !== "user" && h("a", { class: "button", href: `#/office/courses/${found.id}` }, t("edit"))),
	];
}

/** An image of this site; what lies elsewhere would tell others who looks at it. */
export function ownImage(url) {
	if (!url || new URL(url, document.baseURI).origin !== location.origin)
		return null;
	return h("img", { class: "picture", src: url, alt: "", loading: "lazy" });
}
