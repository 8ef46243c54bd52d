// A list of the API: filters, sorting, pages. All of it is kept in the address, so that a link leads to the same list, and the list
// is where it was when one comes back.
import { request } from "./api.js";
import { debounce, fill, h, icon, newId } from "./dom.js";
import { failureBox } from "./failure.js";
import { changeQuery } from "./route.js";
import { fieldLabel, number, t } from "./text.js";

/**
 * @param {Object} options
 * @param {string} options.path of the API
 * @param {URLSearchParams} options.query of the screen; its names are those of the API
 * @param {{key: string, label?: string, isSortable?: boolean, cell: (row) => (Node|string)}[]} options.columns
 * @param {{name: string, label?: string, choices?: [string, string][], type?: string}[]} [options.filters] `choices`: value and
 *     label; else an input of that type. The search comes first by itself
 * @param {boolean} [options.hasSearch]
 * @param {Object} [options.fixed] query parameters that do not change
 * @param {(row) => ?string} [options.link] where a row leads
 * @param {(row) => Node} [options.actions] buttons of a row
 * @param {boolean} [options.keepsPlace] false for a list within a screen, whose filters are not in the address
 * @param {string} options.empty what is said when there is no row
 * @returns {HTMLElement} with `reload()`
 */
export function makeList({ path, query, columns, filters = [], hasSearch = true, fixed = {}, link, actions, empty, keepsPlace = true }) {
	const results = h("div", { class: "results", "aria-live": "polite", "aria-busy": "true" });
	const element = h("div", { class: "list" }, filterBar({ query, filters, hasSearch, columns, change }), results);
	let turn = 0;

	function change(names) {
		if (keepsPlace)
			changeQuery({ page: null, ...names });
		for (const [name, value] of Object.entries({ page: null, ...names }))
			value === null || value === "" ? query.delete(name) : query.set(name, value);
		load();
	}

	async function load() {
		const mine = ++turn;
		results.setAttribute("aria-busy", "true");
		try {
			const { data } = await request("GET", path, { query: { ...Object.fromEntries(query), ...fixed } });
			if (mine === turn)
				show(data);
		} catch (error) {
			if (mine === turn)
				fill(results, failureBox(error, load));
		}
		if (mine === turn)
			results.setAttribute("aria-busy", "false");
	}

	function show({ items, pagination }) {
		fill(results,
			pagination.total > 0 && h("p", { class: "count" }, t("list.count", { n: pagination.total })),
			items.length ? table(items) : h("p", { class: "nothing" }, pagination.total ? t("list.past-end") : empty),
			pages(pagination, (page) => change({ page: page > 1 ? String(page) : null })));
		element.rows = items;
		element.dispatchEvent(new CustomEvent("loaded", { detail: items }));
	}

	const sort = () => query.get("sort");

	function heading(column) {
		const label = column.label ?? fieldLabel(column.key);
		if (!column.isSortable)
			return h("th", { scope: "col" }, label);
		const direction = sort() === column.key ? "ascending" : sort() === `-${column.key}` ? "descending" : null;
		return h("th", { scope: "col", "aria-sort": direction },
			h("button", { type: "button", class: "sort", onclick: () => change({ sort: direction === "ascending" ? `-${column.key}` : column.key }) },
				label, h("span", { "aria-hidden": "true" }, direction === "ascending" ? " ▲" : direction ? " ▼" : " ↕")));
	}

	function table(items) {
		return h("div", { class: "scroll", tabindex: 0 }, h("table", { class: "rows" },
			h("thead", {}, h("tr", {}, columns.map(heading), actions && h("th", { scope: "col" }, h("span", { class: "hidden" }, t("actions"))))),
			h("tbody", {}, items.map((item) => h("tr", {},
				columns.map((column, i) => {
					const shown = column.cell(item) || "–";
					const href = i === 0 && link?.(item);
					return h(i ? "td" : "th", { scope: i ? null : "row", "data-label": column.label ?? fieldLabel(column.key) },
						href ? h("a", { href }, shown) : shown);
				}),
				actions && h("td", { class: "row-actions" }, actions(item)))))));
	}

	element.reload = load;
	load();
	return element;
}

function filterBar({ query, filters, hasSearch, columns, change }) {
	const controls = [];
	const add = (label, control) => {
		control.id = newId("filter");
		controls.push(h("div", { class: "filter" }, h("label", { for: control.id }, label), control));
	};
	if (hasSearch) {
		const search = debounce((text) => change({ search: text.trim() || null }));
		add(t("list.search"), h("input", {
			type: "search", value: query.get("search") ?? "", maxlength: 100, oninput: (event) => search(event.target.value),
		}));
	}
	for (const { name, label, choices, type } of filters) {
		const onchange = (event) => change({ [name]: event.target.value || null });
		const value = query.get(name) ?? "";
		add(label ?? fieldLabel(name), choices
			? h("select", { onchange, value }, h("option", { value: "" }, t("list.all")), choices.map(([one, text]) => h("option", { value: one }, text)))
			: h("input", { type: type ?? "text", value, onchange }));
	}
	// On a narrow screen the headings, which sort, are not there.
	const sortable = columns.filter((column) => column.isSortable);
	if (sortable.length) {
		add(t("list.sort"), h("select", { onchange: (event) => change({ sort: event.target.value || null }), value: query.get("sort") ?? "" },
			h("option", { value: "" }, t("list.newest")),
			sortable.flatMap(({ key, label }) => [
				h("option", { value: key }, `${label ?? fieldLabel(key)} ▲`),
				h("option", { value: `-${key}` }, `${label ?? fieldLabel(key)} ▼`),
			])));
		controls.at(-1).classList.add("narrow-only");
	}
	return controls.length ? h("form", { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() }, controls) : null;
}

/** Links to the pages before and after. */
export function pages({ page, totalPages }, go) {
	if (totalPages <= 1)
		return null;
	const button = (to, name, label) =>
		h("button", { type: "button", disabled: to < 1 || to > totalPages, "aria-label": label, onclick: () => go(to) }, icon(name));
	return h("nav", { class: "pages", "aria-label": t("list.pages") },
		button(page - 1, "left", t("list.previous")),
		h("span", {}, t("list.page-of", { page: number(page), pages: number(totalPages) })),
		button(page + 1, "right", t("list.next")));
}
