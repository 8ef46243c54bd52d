// Who changed what, and on whom.
import { h } from "../lib/dom.js";
import { makeList } from "../lib/list.js";
import { t, time, tryText } from "../lib/text.js";

const ACTIONS = ["user.role", "user.email", "user.active", "user.profile", "user.deleted", "course.deleted", "test.deleted", "material.deleted", "file.deleted"];

export function audit({ query }) {
	const shown = (value) => (value === null ? "–" : h("span", { class: "value" }, value.length > 200 ? `${value.slice(0, 200)} …` : value));
	return [
		h("h1", {}, t("menu./office/audit")),
		h("p", {}, t("audit.text")),
		makeList({
			path: "/admin/audit", query, hasSearch: false, empty: t("audit.empty"),
			columns: [
				{ key: "at", label: t("audit.at"), cell: (one) => time(one.at) },
				{ key: "actor", label: t("audit.actor"), cell: (one) => one.actorEmail ?? t("audit.operator") },
				{ key: "action", label: t("audit.action"), cell: (one) => tryText(`action.${one.action}`, one.action) },
				{ key: "subject", label: t("audit.subject"), cell: (one) => one.subject },
				{ key: "before", label: t("audit.before"), cell: (one) => shown(one.before) },
				{ key: "after", label: t("audit.after"), cell: (one) => shown(one.after) },
			],
			filters: [
				{ name: "action", label: t("audit.action"), choices: ACTIONS.map((action) => [action, tryText(`action.${action}`, action)]) }, { name: "actor", label: t("audit.actor") }, { name: "subject", label: t("audit.subject") },
				{ name: "from", label: t("list.from"), type: "date" }, { name: "to", label: t("list.to"), type: "date" },
			],
		}),
	];
}
