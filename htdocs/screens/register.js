// The rest of a registration, after the first login.
import { whoAmI } from "../app.js";
import { request } from "../lib/api.js";
import { notify } from "../lib/dialog.js";
import { h } from "../lib/dom.js";
import { makeForm } from "../lib/form.js";
import { shape } from "../lib/schema.js";
import { language, t } from "../lib/text.js";

export async function register({ user, query }) {
	const to = query.get("to")?.startsWith("/") ? query.get("to") : "/";
	if (user.isRegistrationComplete) {
		location.replace(`#${to}`);
		return [];
	}
	const form = makeForm(await shape("CompleteRegistrationDto"), {
		values: { ...user, language: language(), privacyPolicyAccepted: false, termsOfUseAccepted: false, consentFormAccepted: false },
		action: t("register.action"),
		submit: async (body) => {
			const { data } = await request("POST", "/auth/registration/complete", { body });
			await whoAmI();
			notify(data.message);
			location.replace(`#${to}`);
		},
	});
	return h("div", { class: "narrow" }, h("h1", {}, t("register.title")), h("p", {}, t("register.text")), form);
}
