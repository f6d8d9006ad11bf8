/** A NestJS gateway and a controller that emit to the same rooms, over all workers. */
import 'reflect-metadata'
import { Body, Controller, HttpCode, Inject, Module, Param, Post } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { IoAdapter } from '@nestjs/platform-socket.io'
import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
} from '@nestjs/websockets'
import type { App } from 'rookery'
import type { Server, Socket } from 'socket.io'

@WebSocketGateway()
class RoomsGateway {
  @WebSocketServer() readonly server!: Server

  @SubscribeMessage('join')
  async join(@ConnectedSocket() socket: Socket, @MessageBody() room: string): Promise<{ joined: string }> {
    await socket.join(room)
    return { joined: room }
  }

  @SubscribeMessage('say')
  say(@MessageBody() { room, text }: { room: string; text: string }): void {
    this.server.to(room).emit('said', text)
  }
}

@Controller('rooms')
class RoomsController {
  @Inject(RoomsGateway) readonly gateway!: RoomsGateway

  @Post(':room')
  @HttpCode(202)
  publish(@Param('room') room: string, @Body() { text }: { text: string }): void {
    this.gateway.say({ room, text })
  }
}

@Module({ controllers: [RoomsController], providers: [RoomsGateway] })
class RoomsModule {}

const app: App = async (io, { mount, onStop }) => {
  const nest = await NestFactory.create(RoomsModule, { logger: ['warn', 'error'] })
  // Gateways get Rookery's server instead of one of their own.
  nest.useWebSocketAdapter(Object.assign(new IoAdapter(nest), { createIOServer: () => io }))
  await nest.init()
  mount(nest.getHttpAdapter().getInstance())
  onStop(() => nest.close())
}

export default app
