// Settings: values of any type that the school's pages read.
import { get, request } from "../lib/api.js";
import { confirmDestruction, notify } from "../lib/dialog.js";
import { fill, h, icon } from "../lib/dom.js";
import { actionButton } from "../lib/edit.js";
import { makeForm, sendChange } from "../lib/form.js";
import { makeList } from "../lib/list.js";
import { go, guardLeaving } from "../lib/route.js";
import { shape } from "../lib/schema.js";
import { t, time } from "../lib/text.js";
import { shownSetting, typeOf, valueEditor } from "./office-value.js";

const PATH = "/settings";
const SCREEN = "/office/settings";
const addressOf = (key) => `${PATH}/${encodeURIComponent(key)}`;

export async function settings({ query }) {
	if (query.get("view") === "new")
		return newSetting();
	return [
		h("div", { class: "head" }, h("h1", {}, t("menu./office/settings")),
			h("div", { class: "actions" }, h("a", { class: "button primary", href: `#${SCREEN}?view=new` }, icon("plus"), t("settings.new")))),
		makeList({
			path: PATH, query, empty: t("settings.empty"),
			link: (one) => `#${SCREEN}/${encodeURIComponent(one.key)}`,
			columns: [
				{ key: "key", isSortable: true, cell: (one) => one.key },
				{ key: "type", cell: (one) => t(`type.${typeOf(one.value)}`) },
				{ key: "value", cell: (one) => shownSetting(one.value) },
				{ key: "description", cell: (one) => one.description },
				{ key: "isPublic", cell: (one) => t(one.isPublic ? "yes" : "no") },
				{ key: "updatedAt", isSortable: true, cell: (one) => time(one.updatedAt) },
			],
		}),
	];
}

async function newSetting() {
	const form = makeForm(await shape("UpsertSettingDto"), {
		first: ["key", "value", "description", "isPublic"], editors: { value: valueEditor }, values: { isPublic: true, value: "" }, action: t("save"),
		submit: async (body) => {
			// A setting of that key must not be overwritten unseen.
			if (await request("GET", addressOf(body.key)).then(() => true, (error) => {
				if (error.status !== 404)
					throw error;
				return false;
			}))
				return form.showErrors([`key: ${t("settings.exists")}`]);
			await request("POST", PATH, { body });
			guardLeaving(null);
			notify(t("saved"));
			location.replace(`#${SCREEN}/${encodeURIComponent(body.key)}`);
		},
	});
	guardLeaving(() => form.isConnected && form.isDirty());
	return [h("p", {}, h("a", { href: `#${SCREEN}` }, t("settings.all"))), h("h1", {}, t("settings.new")), form];
}

export async function setting({ params: { key } }) {
	const address = addressOf(key);
	let opened = await request("GET", address);
	const form = makeForm(await shape("UpsertSettingDto"), {
		skip: ["key"], first: ["value", "description", "isPublic"], editors: { value: valueEditor }, values: opened.data, action: t("save"), isChange: true,
		submit: (body) => (Object.keys(body).length ? save(body) : notify(t("nothing-changed"))),
	});
	const versions = h("div", {});
	guardLeaving(() => form.isConnected && form.isDirty());
	await drawVersions();
	return [
		h("p", {}, h("a", { href: `#${SCREEN}` }, t("settings.all"))),
		h("div", { class: "head" }, h("h1", {}, key), h("div", { class: "actions" }, actionButton("trash", t("delete"), async () => {
			await request("DELETE", address);
			form.keep();
			notify(t("deleted"));
			go(SCREEN);
		}, { isDanger: true, ask: () => confirmDestruction({ title: t("delete-name", { name: key }), text: t("settings.delete-text"), action: t("delete") }) }))),
		form, h("h2", {}, t("settings.history")), versions,
	];

	async function save(body) {
		const saved = await sendChange({
			method: "POST", path: PATH, current: address, etag: opened.etag, before: opened.data, body,
			complete: (sent, before) => ({ key, value: before.value, ...sent }),
		});
		if (saved)
			notify(t("saved"));
		opened = await request("GET", address);
		form.reset(opened.data);
		await drawVersions();
	}

	/** Older values; one of them becomes the value again as any change does, so that the one before is not lost. */
	async function drawVersions() {
		const history = await get(`${address}/history`);
		const rows = history.items ?? history;
		fill(versions, rows.length ? h("ol", { class: "plain-list" }, rows.map((row) => h("li", { class: "row-card" },
			h("div", {}, h("p", {}, shownSetting(row.value)), h("p", { class: "hint" }, versionText(row))),
			JSON.stringify(row.value) !== JSON.stringify(opened.data.value) && actionButton("copy", t("settings.restore"), () => save({ value: row.value }), { isSmall: true }))))
			: h("p", { class: "hint" }, t("settings.no-history")));
	}
}

const versionText = (row) => [time(row.createdAt), row.actor?.email].filter(Boolean).join(" · ");
