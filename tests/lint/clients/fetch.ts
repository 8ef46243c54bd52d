// The journey of a user and of an admin by openapi-typescript and openapi-fetch; `run.cjs` runs it against a server.
import createClient from "openapi-fetch";
import type { components, paths } from "./generated/fetch";

type Schemas = components["schemas"];

/** What went wrong, in the sentences of the server. */
class Failure extends Error {
	constructor(readonly status: number, readonly errors: readonly string[]) {
		super(errors.join("; "));
	}
}

type Answer<T> = { data?: { isSuccess: true; data: T } | undefined; error?: { errors: string[] } | undefined; response: Response };

/** The data of an answer, or a Failure with its sentences. */
function data<T>(answer: Answer<T>): T {
	if (answer.data === undefined)
		throw new Failure(answer.response.status, answer.error?.errors ?? [answer.response.statusText]);
	return answer.data.data;
}

function connect(base: string) {
	const client = createClient<paths, "application/json">({ baseUrl: base, headers: { "Accept-Language": "en" } });
	let session: Schemas["AuthResponseDto"] | undefined;

	client.use({
		onRequest({ request }) {
			if (session)
				request.headers.set("Authorization", `Bearer ${session.accessToken}`);
			return request;
		},
	});
	return {
		...client,
		async login(email: string, mailed: (address: string) => Promise<string>) {
			data(await client.POST("/auth/otp/request", { body: { email, language: "en" } }));
			session = data(await client.POST("/auth/otp/verify", { body: { email, code: await mailed(email) } }));
			return session;
		},
		async refresh() {
			if (session)
				session = data(await client.POST("/auth/refresh", { body: { refreshToken: session.refreshToken } }));
			return session?.expiresIn ?? 0;
		},
	};
}

type Connection = ReturnType<typeof connect>;

async function prepare(admin: Connection) {
	const level: Schemas["Level"] = "A1";
	const course = data(await admin.POST("/courses", { body: { title: "Deutsch A1", language: "de", level, price: 10.5 } }));
	const test = data(await admin.POST("/proficiency-tests", {
		body: {
			title: "Placement", targetLanguage: "de", durationMinutes: 10,
			questions: [{ text: "Ich ___ müde.", options: [{ text: "bin", isCorrect: true }, { text: "bist", isCorrect: false }] }],
			levelRanges: [{ level, minScore: 0, maxScore: 100 }],
		},
	}));
	return { course, test };
}

async function profile(user: Connection): Promise<string | null> {
	const shown = await user.GET("/me");
	const etag = shown.response.headers.get("ETag");
	const changed = await user.PATCH("/me", {
		params: etag === null ? {} : { header: { "If-Match": etag } },
		body: { bio: null, interests: ["reading"], gender: "other" },
	});
	const stale = await user.PATCH("/me", { params: { header: { "If-Match": '"0000000000000000"' } }, body: { bio: "x" } });
	if (stale.response.status !== 412)
		throw new Error("the form that is old was taken");
	if (data(changed).gender !== "other" || data(shown).bio !== null)
		throw new Error("the profile is another");
	return etag;
}

async function take(user: Connection, testId: string): Promise<Schemas["Level"]> {
	const params = { path: { id: testId } };
	const attempt = data(await user.POST("/proficiency-tests/{id}/start", { params }));
	const answers = attempt.questions.flatMap((question) => {
		const option = question.options[0];
		return option ? [{ questionId: question.id, optionId: option.id }] : [];
	});
	const saved = data(await user.PATCH("/proficiency-tests/attempts/{id}", { params: { path: { id: attempt.id } }, body: { answers } }));
	const result = data(await user.POST("/proficiency-tests/{id}/submit", { params, body: { answers: saved.answers } }));
	return result.level;
}

async function upload(user: Connection, photo: File) {
	return data(await user.POST("/storage/upload", {
		body: { file: photo.name, folder: "private" },
		bodySerializer({ folder }) {
			const form = new FormData();
			form.append("file", photo);
			form.append("folder", folder ?? "private");
			return form;
		},
	}));
}

/** One sentence for each thing that is wrong. */
async function faults(user: Connection): Promise<readonly string[]> {
	const { error } = await user.PATCH("/me", { body: { timezone: "Nowhere", name: "" } });
	return error?.errors ?? [];
}

async function administrate(admin: Connection, visitor: Connection, userId: string) {
	const material = data(await admin.POST("/education-materials", {
		body: { title: "First words", locale: "en", videos: [{ title: "One", url: "https://example.com/1" }] },
		headers: { "Content-Type": "application/json" },
	}));
	const summary = data(await admin.POST("/education-materials/{id}/assign", {
		params: { path: { id: material.id } }, body: { userIds: [userId], note: null },
	}));
	data(await admin.DELETE("/education-materials/{id}/assign/{userId}", { params: { path: { id: material.id, userId } } }));
	const asked = data(await visitor.POST("/contact", { body: { fullName: "Ada", email: "ada@example.com", message: "When?" } }));
	const replied = data(await admin.POST("/contact/{id}/reply", { params: { path: { id: asked.id } }, body: { message: "Soon." } }));
	const stats = data(await admin.GET("/admin/dashboard/stats", { params: { query: { months: 3 } } }));
	const audit = data(await admin.GET("/admin/audit", { params: { query: { subject: userId, limit: 5 } } }));
	const users = data(await admin.GET("/users", { params: { query: { role: "user", sort: "-createdAt", limit: 1 } } }));
	const status: Schemas["ContactStatus"] = replied.status;
	return {
		assigned: summary.assigned, status, trends: stats.trends.length, newest: users.items[0]?.email ?? null,
		actions: audit.items.map((entry) => `${entry.action} by ${entry.actorEmail ?? "operator"}`),
	};
}

export async function journey(base: string, boss: string, newcomer: string, photo: File,
	mailed: (address: string) => Promise<string>) {
	const admin = connect(base), user = connect(base);

	await admin.login(boss, mailed);
	const { course, test } = await prepare(admin);
	const session = await user.login(newcomer, mailed);
	const registered = data(await user.POST("/auth/registration/complete", {
		body: { name: "Ada", surname: "Lovelace", privacyPolicyAccepted: true, termsOfUseAccepted: true },
	}));
	const page = data(await user.GET("/courses", { params: { query: { page: 1, limit: 20, language: "de", level: "A1" } } }));
	return {
		isNew: session.isNewUser, role: registered.user.role, etag: await profile(user),
		courses: page.pagination.total, first: page.items[0]?.id === course.id,
		level: await take(user, test.id), file: (await upload(user, photo)).mimeType, faults: await faults(user),
		...await administrate(admin, connect(base), session.user.id), expiresIn: await user.refresh(),
	};
}
