// The tables that a submit and GET /me need. Questions and options are rows; a result has one byte a question, as okul stores it.
import { Column, Entity, Index, JoinColumn, ManyToOne, OneToMany, PrimaryColumn, PrimaryGeneratedColumn, type Relation } from 'typeorm';

const ID = { type: 'varchar', length: 24 } as const;
const TEXT = { type: 'text', nullable: true } as const;
const Text = () => Column(TEXT);
const Time = () => Column('timestamptz', { nullable: true });

@Entity('users')
export class User {
	@PrimaryColumn(ID) id: string;
	@Column({ type: 'text', unique: true }) email: string; @Column('text') role: 'user' | 'admin' | 'superadmin';
	@Column({ default: true }) isActive: boolean;
	@Column({ type: 'text', default: 'none' }) deletionStatus: 'none' | 'pending' | 'cancelled' | 'finalized';
	@Text() name: string | null; @Text() surname: string | null; @Column({ ...TEXT, unique: true }) username: string | null;
	@Column({ type: 'text', default: 'en' }) language: string;
	@Text() countryCode: string | null; @Text() phoneNumber: string | null; @Text() profilePhoto: string | null;
	@Column({ type: 'text', default: 'offline' }) availabilityStatus: string;
	@Text() birthDate: string | null; @Text() gender: string | null;
	@Column({ type: 'jsonb', default: [] }) interests: string[];
	@Text() expertise: string | null; @Text() bio: string | null; @Text() instagram: string | null; @Text() x: string | null;
	@Text() tiktok: string | null; @Text() snapchat: string | null; @Text() facebook: string | null;
	@Column({ type: 'text', default: 'Europe/Istanbul' }) timezone: string;
	@Time() privacyPolicyAt: Date | null; @Time() termsOfUseAt: Date | null; @Time() consentFormAt: Date | null;
	@Time() registeredAt: Date | null; @Time() lastLogin: Date | null;
	@Column({ type: 'timestamptz', default: () => 'now()' }) createdAt: Date;
	@Column({ type: 'timestamptz', default: () => 'now()' }) updatedAt: Date;
}

@Entity('session')
export class Session {
	@PrimaryColumn(ID) id: string;
	@ManyToOne(() => User, { onDelete: 'CASCADE', nullable: false }) @JoinColumn({ name: 'userId' }) @Index() user: Relation<User>;
	@Column('timestamptz') expiresAt: Date;
}

@Entity('test')
export class Test {
	@PrimaryColumn(ID) id: string;
	@Column('text') title: string; @Column('text') targetLanguage: string;
	@Column('int', { nullable: true }) durationMinutes: number | null;
	@Column({ type: 'int', default: 1 }) maxAttempts: number; // 0: no limit
	@Column({ default: true }) isPublished: boolean;
	@Column('jsonb') levelRanges: { level: string; minScore: number; maxScore: number }[];
	@OneToMany(() => Question, question => question.test) questions: Relation<Question>[];
}

@Entity('question')
export class Question {
	@PrimaryColumn(ID) id: string;
	@ManyToOne(() => Test, test => test.questions, { onDelete: 'CASCADE', nullable: false })
	@JoinColumn({ name: 'testId' }) @Index() test: Relation<Test>;
	@Column('int') order: number; @Column('text') text: string; @Column('double precision') points: number;
	@OneToMany(() => Option, option => option.question) options: Relation<Option>[];
}

@Entity('option')
export class Option {
	@PrimaryColumn(ID) id: string;
	@ManyToOne(() => Question, question => question.options, { onDelete: 'CASCADE', nullable: false })
	@JoinColumn({ name: 'questionId' }) @Index() question: Relation<Question>;
	@Column('int') order: number; @Column('text') text: string; @Column() isCorrect: boolean;
}

// An open attempt, which the result replaces.
@Entity('attempt')
@Index(['userId', 'testId'], { unique: true })
export class Attempt {
	@PrimaryColumn(ID) id: string;
	@Column(ID) userId: string; @Column(ID) testId: string; @Column('timestamptz') startedAt: Date;
	@Column('timestamptz', { nullable: true }) deadline: Date | null;
}

@Entity('result')
@Index(['userId', 'testId', 'attempt'], { unique: true })
export class Result {
	@PrimaryGeneratedColumn() pk: number; @Column({ ...ID, unique: true }) id: string;
	@ManyToOne(() => User, { onDelete: 'CASCADE', nullable: false }) @JoinColumn({ name: 'userId' }) user?: Relation<User>;
	@Column(ID) userId: string; @Column(ID) testId: string; @Column('int') attempt: number;
	@Column('double precision') @Index() totalScore: number; @Column('int') correctCount: number;
	@Column('int') questionCount: number; @Column('text') level: string; @Column('text') targetLanguage: string;
	@Column('timestamptz') @Index() completedAt: Date;
	@Column('bytea') chosen: Buffer; // the option of each question from 1; 0: none
}
