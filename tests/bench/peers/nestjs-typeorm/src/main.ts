// The service. PROCESSES of them share PORT of 127.0.0.1; `main.js schema` makes the tables and ends.
import cluster from 'node:cluster';
import { createSecretKey } from 'node:crypto';
import {
	type CallHandler, Controller, type ExecutionContext, Get, Injectable, Module, type NestInterceptor, UseGuards, ValidationPipe,
} from '@nestjs/common';
import { APP_INTERCEPTOR, NestFactory } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { map } from 'rxjs';
import { DataSource } from 'typeorm';
import { AuthGuard, CurrentUser } from './auth.js';
import { Attempt, Option, Question, Result, Session, Test, User } from './entities.js';
import { TestsController, TestsService } from './tests.js';

@Controller('me')
class MeController {
	@Get() @UseGuards(AuthGuard)
	me(@CurrentUser() user: User) {
		const { isActive, deletionStatus, privacyPolicyAt, termsOfUseAt, consentFormAt, registeredAt, ...profile } = user;
		return { ...profile, privacyPolicyAccepted: privacyPolicyAt !== null, termsOfUseAccepted: termsOfUseAt !== null,
			consentFormAccepted: consentFormAt !== null, isRegistrationComplete: registeredAt !== null };
	}
}

@Injectable()
class Envelope implements NestInterceptor {
	intercept(context: ExecutionContext, next: CallHandler) {
		const { statusCode } = context.switchToHttp().getResponse();
		return next.handle().pipe(map(data => ({ isSuccess: true, statusCode, data, errors: [], timestamp: new Date() })));
	}
}

@Module({
	imports: [
		TypeOrmModule.forRoot({
			type: 'postgres', host: process.env.PGHOST, username: process.env.PGUSER, database: process.env.PGDATABASE,
			entities: [User, Session, Test, Question, Option, Attempt, Result], poolSize: Number(process.env.POOL ?? 10) }),
		TypeOrmModule.forFeature([Session]),
		JwtModule.register({ secret: createSecretKey(Buffer.from(process.env.JWT_KEY!, 'hex')), verifyOptions: { algorithms: ['HS256'] } }),
	],
	controllers: [MeController, TestsController],
	providers: [TestsService, { provide: APP_INTERCEPTOR, useClass: Envelope }],
})
class AppModule {}

const PROCESSES = Number(process.env.PROCESSES ?? 2);

if (cluster.isPrimary && process.argv[2] !== 'schema' && PROCESSES > 1) {
	for (let i = 0; i < PROCESSES; i++)
		cluster.fork();
} else {
	const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), { logger: ['error'] });
	if (process.argv[2] === 'schema') {
		await app.get(DataSource).synchronize();
		await app.close();
	} else {
		app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }));
		await app.listen(Number(process.env.PORT), '127.0.0.1');
	}
}
