// The files that people have uploaded.
import { get, request, upload } from "../lib/api.js";
import { confirmDestruction, notify } from "../lib/dialog.js";
import { fill, h, icon, newId } from "../lib/dom.js";
import { actionButton } from "../lib/edit.js";
import { makeList } from "../lib/list.js";
import { nameOf, personSearch } from "../lib/people.js";
import { go, guardLeaving } from "../lib/route.js";
import { parameters } from "../lib/schema.js";
import { size, t, valueLabel } from "../lib/text.js";
import { uploadBox } from "../lib/uploads.js";

const PATH = "/storage/files";
const SCREEN = "/office/files";

export async function files({ query }) {
	const folders = (await parameters("GET", PATH)).folder.enum;
	const owner = query.get("owner") && (await get(`/users/${query.get("owner")}`));
	const list = makeList({
		path: PATH, query, empty: t("files.empty"),
		columns: [
			{ key: "name", label: t("files.name"), isSortable: true,
				cell: (file) => h("a", { href: file.url, target: "_blank", rel: "noopener" }, file.fileName,
				h("span", { class: "hidden" }, ` (${t("new-tab")})`)) },
			{ key: "folder", cell: (file) => t(file.isPublic ? "value.public" : "value.private") },
			{ key: "size", isSortable: true, cell: (file) => size(file.size) },
			{ key: "mimeType", cell: (file) => file.mimeType },
		],
		filters: [{ name: "folder", choices: folders.map((folder) => [folder, valueLabel(folder)]) }],
		actions: (file) => [
			file.isPublic && actionButton("copy", t("files.copy"), async () => {
				await copy(new URL(file.url, location.href).href);
			}, { isSmall: true, title: `${t("files.copy")}: ${file.fileName}` }),
			actionButton("trash", null, () => remove(file, list), {
				isSmall: true, title: t("delete-name", { name: file.fileName }),
				ask: () => confirmDestruction({ title: t("delete-name", { name: file.fileName }), text: t("files.delete-text"),
					action: t("delete") }),
			}),
		],
	});
	return [
		h("h1", {}, t("menu./office/files")),
		sending(folders, () => list.reload()),
		h("h2", {}, t("files.all")),
		owner ? h("p", { class: "chip" }, h("span", {}, t("files.of", { name: nameOf(owner) })),
			h("a", { class: "button small", href: `#${SCREEN}` }, t("files.of-all")))
			: h("details", {}, h("summary", {}, t("files.of-one")),
				personSearch({ label: t("files.owner"), onChosen: (person) => go(SCREEN, { owner: person.id }) })),
		list,
	];
}

/** The clipboard is missing without TLS; then the address is shown for copying by hand. */
async function copy(address) {
	try {
		await navigator.clipboard.writeText(address);
		notify(t("files.copied"));
	} catch {
		prompt(t("files.copy"), address);
	}
}

async function remove(file, list) {
	try {
		await request("DELETE", `${PATH}/${encodeURIComponent(file.key)}`);
		notify(t("deleted"));
		list.reload();
	} catch (error) {
		const holder = error.status === 409 && (await holderOf(file));
		notify([...(error.errors ?? []), holder && t("files.held", { title: holder.title })].filter(Boolean).join(" "), "bad");
	}
}

/** The material that holds a file: its PDF has the same last segment of the address. */
async function holderOf(file) {
	for (let page = 1, pages = 1; page <= pages; page++) {
		const { items, pagination } = await get("/education-materials", { page, limit: 100 });
		const found = items.find((material) =>
			material.pdfs.some((pdf) => new URL(pdf.url, location.href).pathname.endsWith(`/${file.key}`)));
		if (found)
			return found;
		pages = pagination.totalPages;
	}
	return null;
}

function sending(folders, onSent) {
	const folder = h("select", { id: newId("folder") }, folders.map((one) => h("option", { value: one }, valueLabel(one))));
	const sent = h("div", { role: "status" });
	const box = uploadBox({
		label: t("files.choose"),
		send: (file, options) => {
			const body = new FormData();
			body.append("folder", folder.value);
			body.append("file", file);
			return upload("POST", "/storage/upload", body, options);
		},
		onSent: (file) => {
			fill(sent, h("p", { class: "right" }, icon("check"), " ", t("files.sent", { name: file.fileName })));
			onSent();
		},
	});
	guardLeaving(() => box.isConnected && box.isSending());
	return h("section", {}, h("div", { class: "field narrow" }, h("label", { for: folder.id }, t("field.folder")), folder,
		h("p", { class: "hint" }, t("files.folder-hint"))), box, sent);
}
