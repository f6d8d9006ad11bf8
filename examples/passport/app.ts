/**
 * A log-in that HTTP and Socket.IO share: express-session and passport. Sessions are in Redis, since the requests of
 * one browser reach any worker.
 */
import { RedisStore } from 'connect-redis'
import express, { type Request } from 'express'
import session from 'express-session'
import passport from 'passport'
import { Strategy } from 'passport-local'
import { createClient } from 'redis'
import type { App } from 'rookery'

declare global {
  namespace Express {
    interface User {
      name: string
    }
  }
}

const { REDIS_URL = 'redis://127.0.0.1:6379', SESSION_SECRET = 'change me' } = process.env

passport.use(
  new Strategy((name, password, done) => done(null, password === 'open sesame' ? { name } : false)),
)
passport.serializeUser((user, done) => done(null, user))
passport.deserializeUser((user: Express.User, done) => done(null, user))

const app: App = async (io, { logger, mount, onStop }) => {
  const redis = createClient({ url: REDIS_URL })
  redis.on('error', (error) => logger.warn({ err: error }, 'sessions are not available'))
  await redis.connect()
  onStop(() => redis.close())

  const store = new RedisStore({ client: redis })
  const sessions = session({ store, secret: SESSION_SECRET, resave: false, saveUninitialized: false })
  const site = express()
  site.use(sessions, passport.session(), express.urlencoded())
  site.post('/login', passport.authenticate('local'), (request, response) => {
    response.json({ name: request.user?.name })
  })
  site.post('/logout', (request, response, next) => {
    const { sessionID } = request
    request.logout((error) => {
      if (error) return next(error)
      // On all workers and hosts.
      io.to(`session:${sessionID}`).disconnectSockets()
      response.sendStatus(204)
    })
  })
  mount(site)

  io.engine.use(sessions)
  io.engine.use(passport.session())
  io.use((socket, next) => {
    const { user } = socket.request as Request
    next(user === undefined ? new Error('log in first') : undefined)
  })
  io.on('connection', async (socket) => {
    const { user, sessionID } = socket.request as Request
    // Listeners first: events of the client may arrive while the socket joins.
    socket.on('whoami', (answer) => answer(user?.name))
    socket.on('say', (text) => io.emit('said', { from: user?.name, text }))
    await socket.join(`session:${sessionID}`)
    socket.emit('welcome', user?.name)
  })
}

export default app
