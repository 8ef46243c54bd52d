// The first screen.
import { get } from "../lib/api.js";
import { h, icon } from "../lib/dom.js";
import { t } from "../lib/text.js";

export async function home({ user }) {
	if (!user && (await get("/auth/setup", {}, { anonymous: true }).catch(() => ({ isNeeded: false }))).isNeeded) {
		location.replace("#/setup");
		return [];
	}
	const isAdmin = user && user.role !== "user";
	const card = (path, name) => h("a", { class: "card", href: `#${path}` }, icon(name), h("strong", {}, t(`menu.${path}`)), h("span", {}, t(`home.${path}`)));
	return [
		h("h1", {}, user ? t("home.hello", { name: user.name || user.email }) : t("home.welcome")),
		!user && h("p", {}, t("home.text")),
		h("div", { class: "cards" },
			isAdmin && card("/office", "dashboard"),
			card("/courses", "course"), card("/tests", "test"),
			user && card("/results", "result"), user && card("/materials", "material"),
			card("/contact", "contact")),
	];
}
