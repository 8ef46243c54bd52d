// Settings: values of any type that the school's pages read.
import { get, request } from "../lib/api.js";
import { notify } from "../lib/dialog.js";
import { fill, h, icon } from "../lib/dom.js";
import { actionButton } from "../lib/edit.js";
import { makeForm, sendChange } from "../lib/form.js";
import { makeList } from "../lib/list.js";
import { guardLeaving, mayLeave } from "../lib/route.js";
import { shape } from "../lib/schema.js";
import { t, time } from "../lib/text.js";
import { shownSetting, typeOf, valueEditor } from "./office-value.js";

const PATH = "/settings";
const SCREEN = "/office/settings";
const VERSIONS = 50;	// shown
const addressOf = (key) => `${PATH}/${encodeURIComponent(key)}`;

export async function settings({ query }) {
	if (query.get("view") === "new")
		return newSetting();
	return [
		h("div", { class: "head" }, h("h1", {}, t("menu./office/settings")),
			h("div", { class: "actions" },
				h("a", { class: "button primary", href: `#${SCREEN}?view=new` }, icon("plus"), t("settings.new")))),
		makeList({
			path: PATH, query, hasSearch: false, empty: t("settings.empty"),
			link: (one) => `#${SCREEN}/${encodeURIComponent(one.key)}`,
			columns: [
				{ key: "key", cell: (one) => one.key },
				{ key: "type", cell: (one) => t(`type.${typeOf(one.value)}`) },
				{ key: "value", cell: (one) => shownSetting(one.value) },
				{ key: "description", cell: (one) => one.description },
				{ key: "isPublic", cell: (one) => t(one.isPublic ? "yes" : "no") },
				{ key: "updatedAt", cell: (one) => time(one.updatedAt) },
			],
		}),
	];
}

async function newSetting() {
	const form = makeForm(await shape("UpsertSettingDto"), {
		first: ["key", "value", "description", "isPublic"], editors: { value: valueEditor },
			values: { isPublic: true, value: "" }, action: t("save"),
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
	let opened = await load();
	const form = makeForm(await shape("UpsertSettingDto"), {
		skip: ["key"], first: ["value", "description", "isPublic"], editors: { value: valueEditor }, values: opened.data,
			action: t("save"), isChange: true,
		submit: (body) => (Object.keys(body).length ? save(body) : notify(t("nothing-changed"))),
	});
	const versions = h("ol", { class: "plain-list" });
	guardLeaving(() => form.isConnected && form.isDirty());
	drawVersions();
	return [h("p", {}, h("a", { href: `#${SCREEN}` }, t("settings.all"))), h("h1", {}, key), form,
		h("h2", {}, t("settings.history")), versions];

	/** The tag is read first: if somebody changes the setting in between, saving shows both versions. */
	async function load() {
		const { etag } = await request("GET", address);
		const { items } = await get(`${address}/history`, { limit: VERSIONS });
		return { data: editable(items[0]), etag, items };
	}

	async function save(body) {
		const saved = await sendChange({
			method: "POST", path: PATH, current: load, etag: opened.etag, before: opened.data, body,
			complete: (sent, before) => ({ key, value: before.value, ...sent }),
		});
		opened = await load();
		form.reset(opened.data);
		drawVersions();
		if (saved)
			notify(t("saved"));
	}

	/** A version becomes the newest one, as any change does, so that the one before is not lost. */
	function drawVersions() {
		fill(versions, opened.items.map((version, i) => h("li", { class: "row-card" },
			h("div", {}, h("p", {}, shownSetting(version.value)), version.description && h("p", {}, version.description),
				h("p", { class: "hint" }, [time(version.changedAt), version.actorEmail,
					t(version.isPublic ? "value.public" : "value.private")].filter(Boolean).join(" · "))),
			i === 0 ? h("span", { class: "tag good" }, t("settings.current"))
				: actionButton("copy", t("settings.restore"), () => save(editable(version)),
					{ isSmall: true, ask: () => mayLeave(t("leave-unsaved")) }))));
	}
}

const editable = ({ value, description, isPublic }) => ({ value, description, isPublic });
