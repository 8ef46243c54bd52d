// The token, the session and its user, as each route needs them.
import { type CanActivate, createParamDecorator, type ExecutionContext, ForbiddenException, Injectable, UnauthorizedException } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Session, User } from './entities.js';

@Injectable()
export class AuthGuard implements CanActivate {
	constructor(private readonly jwt: JwtService, @InjectRepository(Session) private readonly sessions: Repository<Session>) {}

	async canActivate(context: ExecutionContext) {
		const request = context.switchToHttp().getRequest();
		const [type, token] = request.headers.authorization?.split(' ') ?? [];
		let claims: { sub: string; sid: string };
		try {
			claims = this.jwt.verify(type === 'Bearer' ? token : '');
		} catch {
			throw new UnauthorizedException('Sign in first.');
		}
		// One statement; findOne() with a relation would be two.
		const session = await this.sessions.createQueryBuilder('session').innerJoinAndSelect('session.user', 'user')
			.where('session.id = :sid AND session.expiresAt > now()', { sid: claims.sid }).getOne();
		if (!session?.user.isActive || session.user.id !== claims.sub)
			throw new UnauthorizedException('Sign in first.');
		if (session.user.deletionStatus === 'pending')
			throw new ForbiddenException('The account is about to be deleted.');
		if (session.user.role === 'user' && !session.user.registeredAt)
			throw new ForbiddenException('Complete the registration first.');
		request.user = session.user;
		return true;
	}
}

export const CurrentUser = createParamDecorator((_: unknown, context: ExecutionContext): User => context.switchToHttp().getRequest().user);
