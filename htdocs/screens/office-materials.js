// Education materials for the office: their list, and the form of one with its PDFs and the people who have it.
import { request, upload } from "../lib/api.js";
import { confirmDestruction } from "../lib/dialog.js";
import { append, fill, h, icon, nameButton, newId } from "../lib/dom.js";
import { actionButton, deleteButton, editForm } from "../lib/edit.js";
import { editor } from "../lib/form.js";
import { makeList } from "../lib/list.js";
import { go, guardLeaving } from "../lib/route.js";
import { shape } from "../lib/schema.js";
import { sortable } from "../lib/sort.js";
import { LANGUAGES, number, size, t, valueLabel } from "../lib/text.js";
import { uploadBox } from "../lib/uploads.js";
import { assignments } from "./office-assignments.js";

const PATH = "/education-materials";
const SCREEN = "/office/materials";

export function materials({ query }) {
	const list = makeList({
		path: PATH, query, empty: t("office-materials.empty"),
		link: (material) => `#${SCREEN}/${material.id}`,
		columns: [
			{ key: "title", isSortable: true, cell: (material) => material.title },
			{ key: "locale", cell: (material) => valueLabel(material.locale) },
			{ key: "level", cell: (material) => material.level },
			{ key: "pdfs", cell: (material) => number(material.pdfs.length) },
			{ key: "videos", cell: (material) => number(material.videos.length) },
		],
		filters: [{ name: "locale", choices: Object.keys(LANGUAGES).map((code) => [code, valueLabel(code)]) }],
		actions: (material) => deleteButton(PATH, material, t("office-materials.delete-text", { n: material.pdfs.length }),
			() => list.reload(), true),
	});
	return [
		h("div", { class: "head" }, h("h1", {}, t("menu./office/materials")),
			h("div", { class: "actions" },
				h("a", { class: "button primary", href: `#${SCREEN}/new` }, icon("plus"), t("office-materials.new")))),
		list,
	];
}

const plainVideos = (videos) => (videos ?? []).map(({ title, url }) => ({ title, url }));
const shownVideos = (videos) =>
	h("span", { class: "version" },
	h("ul", {}, plainVideos(videos).map(({ title, url }) => h("li", {}, title, h("br"), h("small", {}, url)))));

export async function material({ params }) {
	const isNew = params.id === "new";
	const [opened, fields] = await Promise.all([
		isNew ? null : request("GET", `${PATH}/${params.id}`),
			shape(isNew ? "CreateEducationMaterialDto" : "UpdateEducationMaterialDto"),
	]);
	const title = h("h1", {}, opened?.data.title ?? t("office-materials.new"));
	const form = editForm(fields, {
		path: PATH, screen: SCREEN, opened, skip: ["removePdfIds"], first: ["title", "description", "locale", "level", "videos"],
		editors: { videos: videosEditor }, parts: { videos: { plain: plainVideos, show: shownVideos } },
		onSaved: (data) => (title.textContent = data.title), action: t(isNew ? "office-materials.create" : "save"),
	});
	return [
		h("p", {}, h("a", { href: `#${SCREEN}` }, t("office-materials.all"))),
		h("div", { class: "head" }, title, opened && h("div", { class: "actions" },
			deleteButton(PATH, opened.data, t("office-materials.delete-text", { n: opened.data.pdfs.length }), () => {
				form.keep();
				go(SCREEN);
			}))),
		form,
		isNew ? h("p", { class: "hint" }, t("office-materials.pdfs-later")) : [pdfs(form), assignments(opened.data)],
	];
}

/** The PDFs are sent and removed at once, apart from the form. */
function pdfs(form) {
	const path = `${PATH}/${form.opened.data.id}`;
	const list = h("ul", { class: "plain-list" });
	const box = uploadBox({
		label: t("office-materials.choose"), accept: "application/pdf,.pdf",
		refuse: (file) => (file.type && file.type !== "application/pdf" ? t("office-materials.no-pdf") : null),
		send: (file, options) => {
			const body = new FormData();
			body.append("pdfs", file);
			return upload("PATCH", path, body, options);
		},
		onSent: changed,
	});
	draw(form.opened.data.pdfs);
	guardLeaving(() => form.isConnected && (form.isDirty() || box.isSending()));
	return h("section", {}, h("h2", {}, t("field.pdfs")), list, box);

	/**
	 * The material has another tag now. The form goes on with it only where its fields are as they were: a change that somebody
	 * else made meanwhile still has to be shown when the form is saved.
	 */
	async function changed() {
		const now = await request("GET", path);
		const fields = ({ pdfs: ignored, updatedAt, ...rest }) => JSON.stringify(rest);
		if (fields(now.data) === fields(form.opened.data))
			form.opened = now;
		draw(now.data.pdfs);
	}

	function draw(files) {
		fill(list, files.map((pdf) => h("li", { class: "row-card" },
			h("a", { href: pdf.url, target: "_blank", rel: "noopener" }, icon("material"), " ", pdf.title,
				h("span", { class: "hidden" }, ` (${t("new-tab")})`)),
			h("span", { class: "pdf-end" }, h("span", { class: "hint" }, size(pdf.size)),
				actionButton("trash", null, async () => {
				await request("PATCH", path, { body: { removePdfIds: [pdf.id] } });
				await changed();
			}, {
				isSmall: true, title: t("delete-name", { name: pdf.title }),
				ask: () => confirmDestruction({ title: t("delete-name", { name: pdf.title }),
					text: t("office-materials.delete-pdf"), action: t("delete") }),
			})))),
			files.length === 0 && h("li", { class: "hint" }, t("office-materials.no-pdfs")));
	}
}

/** The editor of the field `videos`: titles and addresses, in the order in which learners see them. */
function videosEditor(field, value) {
	const list = h("ol", { class: "plain-list sortable" });
	const place = (item) => [...list.children].indexOf(item) + 1;
	const order = sortable(list, { nameOf: (item) => t("office-materials.video", { n: place(item) }), onMoved: () => relabel() });
	const add = h("button", { type: "button", class: "small", onclick: () => {
		const item = makeItem({ title: "", url: "" });
		list.append(item);
		relabel();
		item.querySelector("input").focus();
	} }, icon("plus"), t("office-materials.add-video"));
	list.append(...plainVideos(value).map(makeItem));
	relabel();
	return Object.assign(editor(h("div", {}, list, add), () => [...list.children].map((item) => ({ ...item.video }))),
		{ sayAt, sayNothing });

	function makeItem(video) {
		const input = (name, label, type) => {
			const id = newId("video");
			return h("div", { class: "field" }, h("label", { for: id }, label),
				h("input", { id, inputmode: type, autocomplete: "off", value: video[name], "data-part": name,
				oninput: (event) => (video[name] = event.target.value) }));
		};
		const item = h("li", { class: "part-head" });
		const remove = h("button", { type: "button", class: "plain small", onclick: () => {
			item.remove();
			relabel();
			add.focus();
		} }, icon("trash"));
		append(item, [order.handle(item),
			h("div", { class: "part-more" }, input("title", t("field.title"), "text"), input("url", t("field.url"), "url")),
			h("span", { class: "row-actions" }, order.buttons(item), remove)]);
		item.video = video;
		return item;
	}

	function relabel() {
		add.disabled = list.children.length >= (field.maxItems ?? Infinity);
		order.relabel();
		for (const item of list.children)
			nameButton(item.querySelector(".row-actions > :last-child"),
				t("delete-name", { name: t("office-materials.video", { n: place(item) }) }));
	}

	function sayAt(path, sentence) {
		const [, at, part] = /^\[(\d+)\]\.?(\w*)$/.exec(path) ?? [];
		const input = list.children[at]?.querySelector(`[data-part="${part || "title"}"]`);
		input?.setAttribute("aria-invalid", "true");
		input?.after(h("div", { class: "error" }, h("p", {}, sentence)));
		return Boolean(input);
	}

	function sayNothing() {
		for (const error of list.querySelectorAll(".error"))
			error.remove();
		for (const input of list.querySelectorAll("[aria-invalid]"))
			input.removeAttribute("aria-invalid");
	}
}
