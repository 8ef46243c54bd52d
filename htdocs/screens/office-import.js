// People from a spreadsheet: first what would happen, row by row, then the import.
import { request } from "../lib/api.js";
import { notify } from "../lib/dialog.js";
import { fill, h, icon, newId } from "../lib/dom.js";
import { busy, failureBox } from "../lib/failure.js";
import { guardLeaving } from "../lib/route.js";
import { number, t } from "../lib/text.js";

export function importUsers() {
	const id = newId("csv");
	const area = h("textarea", { id, class: "code", rows: 10, spellcheck: "false", placeholder: "email,name,surname,language", oninput: () => fill(outcome) });
	const file = h("input", { type: "file", accept: ".csv,text/csv", "aria-label": t("import.file"), onchange: async () => {
		if (file.files[0])
			area.value = await readText(file.files[0]);
		fill(outcome);
	} });
	const outcome = h("div", { "aria-live": "polite" });
	guardLeaving(() => area.isConnected && area.value.trim() !== "");
	return [
		h("p", {}, h("a", { href: "#/office/users" }, t("users.all"))),
		h("h1", {}, t("users.import")),
		h("p", {}, t("import.text")),
		h("div", { class: "field" }, h("label", {}, t("import.file"), file)),
		h("div", { class: "field" }, h("label", { for: id }, t("import.paste")), area),
		h("div", { class: "actions" }, h("button", { type: "button", class: "primary", onclick: (event) => send(true, event.currentTarget) }, t("import.preview"))),
		outcome,
	];

	async function send(dryRun, button) {
		if (!area.value.trim()) {
			fill(outcome, h("div", { class: "box bad", role: "alert" }, t("import.nothing")));
			return area.focus();
		}
		try {
			const { data } = await busy(button, () => request("POST", "/users/import", { body: { csv: area.value, dryRun } }));
			if (dryRun)
				return fill(outcome, preview(data));
			guardLeaving(null);
			notify(t("import.done", { n: data.created }));
			location.replace("#/office/users");
		} catch (error) {
			fill(outcome, failureBox(error));
		}
	}

	function preview(data) {
		return [
			h("h2", {}, t("import.would")),
			h("dl", { class: "facts" }, ["total", "created", "known"].flatMap((name) =>
				[h("dt", {}, t(`import.${name}`)), h("dd", {}, number(data[name]))])),
			data.errors.length ? [
				h("div", { class: "box bad" }, t("import.errors", { n: data.errors.length })),
				h("div", { class: "scroll", tabindex: 0 }, h("table", {},
					h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("import.row")), h("th", { scope: "col" }, t("import.fault")))),
					h("tbody", {}, data.errors.map((error) => h("tr", {}, h("th", { scope: "row" }, number(error.row)), h("td", {}, error.message))))))]
				: h("div", { class: "actions" }, h("button", { type: "button", class: "primary", disabled: data.created === 0, onclick: (event) => send(false, event.currentTarget) },
					icon("upload"), t("import.import", { n: data.created }))),
		];
	}
}

/** UTF-8, else what spreadsheets of Turkey and Western Europe write. */
async function readText(file) {
	const bytes = await file.arrayBuffer();
	try {
		return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
	} catch {
		return new TextDecoder("windows-1254").decode(bytes);
	}
}
