// The first administrator of an empty school, by the code that `make run` or okulctl prints.
import { whoAmI } from "../app.js";
import { request } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { makeForm } from "../lib/form.js";
import { shape } from "../lib/schema.js";
import { keepTokens } from "../lib/session.js";
import { language, t } from "../lib/text.js";

export async function setup({ query, user }) {
	if (user) {
		location.replace("#/");
		return [];
	}
	const form = makeForm(await shape("SetupDto"), {
		first: ["code", "email", "name", "surname"],
		values: { code: query.get("code") ?? "", language: language(), privacyPolicyAccepted: false, termsOfUseAccepted: false },
		action: t("setup.action"),
		submit: async (body) => {
			const { data } = await request("POST", "/auth/setup", { body, anonymous: true });
			keepTokens(data, true);
			await whoAmI();
			location.replace("#/office");
		},
	});
	return h("div", { class: "narrow" }, h("h1", {}, t("setup.title")), h("p", {}, t("setup.text")), form);
}
