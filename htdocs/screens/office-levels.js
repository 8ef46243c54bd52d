// The levels that a test gives, as ranges of its score on a scale from 0 to 100.
import { fill, h, icon, nameButton } from "../lib/dom.js";
import { editor } from "../lib/form.js";
import { findings } from "../lib/levels.js";
import { number, t } from "../lib/text.js";

const LEVELS = ["A1", "A2", "B1", "B2", "C1", "C2"];
const USUAL = [0, 20, 40, 60, 80, 90, 100];

const usual = () => LEVELS.map((level, i) => ({ level, minScore: USUAL[i], maxScore: USUAL[i + 1] }));

export const plainLevels = (ranges) => (ranges ?? []).map(({ level, minScore, maxScore }) => ({ level, minScore, maxScore }));

/** The editor of the field `levelRanges`. The ranges are sent in rising order, in whatever order they were typed. */
export function levelsEditor(field, value) {
	const rows = h("ul", { class: "plain-list" });
	const scale = h("div", { class: "scale", "aria-hidden": "true" });
	const report = h("div", { class: "scale-report", role: "status" });
	const add = h("button", { type: "button", class: "small", onclick: () => {
		rows.append(makeRow(proposal()));
		changed();
		rows.lastChild.querySelector("select").focus();
	} }, icon("plus"), t("levels.add"));
	const items = (isSorted) => {
		const all = [...rows.children];
		return isSorted ? all.sort((a, b) => (a.range.minScore ?? 101) - (b.range.minScore ?? 101)) : all;
	};
	const ranges = () => items(true).map((row) => ({ ...row.range }));
	for (const range of value?.length ? plainLevels(value) : usual())
		rows.append(makeRow(range));
	changed();

	return Object.assign(editor(h("div", { class: "levels" }, scale,
		h("div", { class: "scale-numbers", "aria-hidden": "true" }, [0, 25, 50, 75, 100].map((n) => h("span", {}, number(n)))),
		report, rows, add), ranges, () => (findings(ranges()).length ? t("levels.invalid") : null)), { sayAt, sayNothing });

	/** A range where there is a gap, of a level that is free. */
	function proposal() {
		const gap = findings(ranges()).find(({ kind }) => kind === "gap");
		const used = new Set(ranges().map(({ level }) => level));
		return { level: LEVELS.find((level) => !used.has(level)) ?? "C2", minScore: gap?.from ?? null,
			maxScore: gap?.to ?? null };
	}

	function makeRow(range) {
		const input = (name, label) => h("label", {}, label, h("input", {
			type: "number", min: 0, max: 100, step: "any", inputmode: "decimal", value: range[name] ?? "", "data-part": name,
				oninput: (event) => {
				range[name] = event.target.value === "" ? null : Number(event.target.value);
				changed();
			},
		}));
		const row = h("li", { class: "level-row" },
			h("label", {}, t("field.level"), h("select", { value: range.level, "data-part": "level", onchange: (event) => {
				range.level = event.target.value;
				changed();
			} }, LEVELS.map((level) => h("option", { value: level }, level)))),
			input("minScore", t("levels.from")), input("maxScore", t("levels.to")),
			h("button", { type: "button", class: "plain small", onclick: () => {
				row.remove();
				changed();
				add.focus();
			} }, icon("trash")));
		row.range = range;
		return row;
	}

	function changed() {
		add.disabled = rows.children.length >= (field.maxItems ?? 6);
		for (const row of items()) {
			const remove = row.querySelector("button");
			nameButton(remove, t("levels.remove", { level: row.range.level }));
			remove.disabled = rows.children.length === 1;
		}
		const found = findings(ranges());
		fill(scale, ranges().map((range, i) =>
			segment(`band ${i % 2 ? "odd" : ""}`, range.minScore, range.maxScore, range.level)),
			found.map(({ kind, from, to }) => segment(kind, from, to, "")));
		fill(report, found.length
			? found.map(({ kind, from, to }) =>
				h("p", { class: "wrong" }, icon("warning"), " ", t(`levels.${kind}`, { from, to })))
			: h("p", { class: "right" }, icon("check"), " ", t("levels.complete")));
	}

	function segment(kind, from, to, text) {
		const part = h("span", { class: kind }, text);
		const [low, high] = [from ?? 0, to ?? 0].map((score) => Math.min(100, Math.max(0, score)));
		part.style.insetInlineStart = `${low}%`;
		part.style.width = `${Math.max(0, high - low)}%`;
		return part;
	}

	function sayAt(path, sentence) {
		const [, place, part] = /^\[(\d+)\]\.?(\w*)$/.exec(path) ?? [];
		const row = items(true)[place];
		if (!row)
			return false;
		row.append(h("div", { class: "error" }, h("p", {}, sentence)));
		row.querySelector(`[data-part="${part}"]`)?.setAttribute("aria-invalid", "true");
		return true;
	}

	function sayNothing() {
		for (const error of rows.querySelectorAll(".error"))
			error.remove();
		for (const input of rows.querySelectorAll("[aria-invalid]"))
			input.removeAttribute("aria-invalid");
	}
}

/** The ranges in words, for comparing two versions. */
export const shownLevels = (ranges) =>
	h("span", { class: "version" }, h("ul", {}, plainLevels(ranges).map(({ level, minScore, maxScore }) =>
	h("li", {}, t("levels.range", { level, from: minScore ?? "–", to: maxScore ?? "–" })))));
