// POST /proficiency-tests/:id/submit.
import { randomBytes } from 'node:crypto';
import {
	BadRequestException, Body, ConflictException, Controller, HttpException, Injectable, NotFoundException, Param, Post, UseGuards,
} from '@nestjs/common';
import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, Matches, ValidateNested } from 'class-validator';
import { DataSource, QueryFailedError } from 'typeorm';
import { AuthGuard, CurrentUser } from './auth.js';
import { Attempt, type Question, Result, Test, User } from './entities.js';

const DAY = 24 * 3600 * 1000;
const DAILY_MOST = Number(process.env.DAILY_MOST ?? 20); // submits of a test without limit of attempts
const KEEP_TESTS = process.env.KEEP_TESTS === '1'; // in memory, instead of reading them for each submit
const GRACE = 5000;
const TRIES = 5;

class AnswerDto {
	@Matches(/^[0-9a-f]{24}$/) questionId: string;
	@Matches(/^[0-9a-f]{24}$/) optionId: string;
}

class SubmitTestDto {
	@IsArray() @ArrayMinSize(1) @ArrayMaxSize(200) @ValidateNested({ each: true }) @Type(() => AnswerDto) answers: AnswerDto[];
}

@Injectable()
export class TestsService {
	private readonly kept = new Map<string, Test>();
	constructor(private readonly db: DataSource) {}

	// One join was faster than a statement for each table.
	private async find(id: string) {
		const kept = this.kept.get(id);
		if (kept)
			return kept;
		const test = await this.db.createQueryBuilder(Test, 'test').leftJoinAndSelect('test.questions', 'question')
			.leftJoinAndSelect('question.options', 'option').where({ id })
			.orderBy({ 'question.order': 'ASC', 'option.order': 'ASC' }).getOne();
		if (test && KEEP_TESTS)
			this.kept.set(id, test);
		return test;
	}

	private read(questions: Question[], answers: AnswerDto[]) {
		const index = new Map(questions.map((question, at) => [question.id, at]));
		const chosen = Buffer.alloc(questions.length);
		const faults: string[] = [];
		answers.forEach(({ questionId, optionId }, i) => {
			const at = index.get(questionId);
			if (at === undefined)
				return faults.push(`answers[${i}].questionId: not a question of this test`);
			if (chosen[at])
				return faults.push(`answers[${i}].questionId: answered twice`);
			chosen[at] = questions[at].options.findIndex(option => option.id === optionId) + 1;
			return chosen[at] || faults.push(`answers[${i}].optionId: not an option of this question`);
		});
		if (faults.length)
			throw new BadRequestException(faults);
		return chosen;
	}

	private grade(test: Test, chosen: Buffer) {
		let won = 0, possible = 0, correctCount = 0;
		const answers = [];
		for (const [at, question] of test.questions.entries()) {
			const option = question.options[chosen[at] - 1];
			const isCorrect = option?.isCorrect ?? false;
			possible += question.points;
			if (isCorrect) {
				won += question.points;
				correctCount++;
			}
			if (option)
				answers.push({ questionId: question.id, questionText: question.text, optionId: option.id, optionText: option.text,
					isCorrect, points: isCorrect ? question.points : 0 });
		}
		const totalScore = possible ? Math.round(won / possible * 10000) / 100 : 0;
		const level = test.levelRanges.findLast(range => range.minScore <= totalScore)!.level;
		return { totalScore, correctCount, questionCount: test.questions.length, level, answers };
	}

	async submit(id: string, user: User, dto: SubmitTestDto) {
		const test = await this.find(id);
		if (!test || (!test.isPublished && user.role === 'user'))
			throw new NotFoundException('There is no such test.');
		const chosen = this.read(test.questions, dto.answers);
		const { answers, ...grade } = this.grade(test, chosen);
		for (let tries = 1; ; tries++) {
			try {
				const { id, attempt, completedAt } = await this.record(test, user, chosen, grade);
				return { id, user: { id: user.id, email: user.email, name: user.name, surname: user.surname },
					test: { id: test.id, title: test.title, targetLanguage: test.targetLanguage }, attempt, ...grade, completedAt, answers };
			} catch (error) { // another submit of the user took the number of the attempt
				if (!(error instanceof QueryFailedError) || error.driverError.code !== '23505' || tries === TRIES)
					throw error;
			}
		}
	}

	private record(test: Test, user: User, chosen: Buffer, grade: Pick<Result, 'totalScore' | 'correctCount' | 'questionCount' | 'level'>) {
		return this.db.transaction(async db => {
			const completedAt = new Date(), key = { userId: user.id, testId: test.id };
			const open = await db.findOneBy(Attempt, key);
			if (open?.deadline && open.deadline.getTime() + GRACE < completedAt.getTime())
				throw new ConflictException('The time of this attempt is over.');
			const { last, used, today } = (await db.createQueryBuilder(Result, 'result').where(key)
				.select('max(attempt)', 'last').addSelect('count(*)::int', 'used')
				.addSelect('count(*) FILTER (WHERE "completedAt" > :since)::int', 'today').setParameter('since', new Date(completedAt.getTime() - DAY))
				.getRawOne<{ last: number | null; used: number; today: number }>())!;
			if (!open && test.durationMinutes)
				throw new ConflictException('Start the test first.');
			if (!open && test.maxAttempts && used >= test.maxAttempts)
				throw new ConflictException('No attempts are left.');
			if (!open && !test.maxAttempts && today >= DAILY_MOST)
				throw new HttpException('Try again tomorrow.', 429);
			const result = { id: open?.id ?? randomBytes(12).toString('hex'), ...key, attempt: (last ?? 0) + 1, ...grade,
				targetLanguage: test.targetLanguage, completedAt, chosen };
			await db.insert(Result, result);
			if (open)
				await db.delete(Attempt, open.id);
			return result;
		});
	}
}

@Controller('proficiency-tests')
export class TestsController {
	constructor(private readonly tests: TestsService) {}

	@Post(':id/submit') @UseGuards(AuthGuard)
	submit(@Param('id') id: string, @CurrentUser() user: User, @Body() dto: SubmitTestDto) {
		return this.tests.submit(id, user, dto);
	}
}
