// A conversation that has everything in it which a log may have.

import type { ChatPage } from './chat.ts'
import { Client } from './client.ts'
import type { Router } from './router.ts'
import { expect } from './test.ts'

/** Some bridges, and what is said through them. */
export async function converse(
  chat: ChatPage,
  router: Router,
): Promise<{ minecraft: Client; irc: Client; discord: Client }> {
  const minecraft = await Client.rich(router, 'Minecraft')
  const irc = await Client.plain(router, 'IRC')
  const discord = await Client.rich(router, 'Discord')
  minecraft.write({ action: 'client-status', status: 'degraded', text: 'the server is at 14 ticks a second' })
  const alex = { sender: { name: 'alex', id: '1' } }
  const mira = { sender: { name: 'Mira', id: '2' } }
  await minecraft.post('alex joined the game', { ...alex, event: 'join' })
  await minecraft.post('anyone up for the bridge today?', alex)
  const missing = await minecraft.post('we still need stone for the second arch', alex)
  irc.say('I have two chests full of it')
  await expect(chat.message('two chests')).toBeVisible()
  await discord.post('oh nice! the plan is here: https://plans.example/bridge?arch=2', { ...mira, 'reply-to': missing })
  await discord.post('and this is how far we got', {
    ...mira,
    attachments: [{ url: 'https://pictures.example/bridge.png', name: 'bridge.png', mime: 'image/png', size: 245_120 }],
  })
  const wrong = await discord.post('see you at 8', mira)
  discord.write({ action: 'client-edit', target: wrong, content: 'see you at 9, not at 8' })
  const taken = await discord.post('never mind', mira)
  discord.write({ action: 'client-delete', target: taken })
  await minecraft.post('alex fell from a high place', { ...alex, event: 'death' })
  await minecraft.post('that arch is really high…', alex)

  await chat.say('I watched that from the web. Are you all right?')
  const { seq } = await minecraft.hear('I watched that from the web. Are you all right?')
  minecraft.write({ action: 'client-receipt', target: seq, status: 'delivered' })
  await expect(chat.message('Are you all right?')).toContainText('Delivered to Minecraft')
  await chat.say('I bring a bed, and torches:\n- 64 for the arch\n- 64 for the road')
  const second = await minecraft.hear('I bring a bed, and torches:\n- 64 for the arch\n- 64 for the road')
  minecraft.write({ action: 'client-receipt', target: second.seq, status: 'failed', reason: 'more than one line' })
  await expect(chat.message('I bring a bed')).toContainText('Not delivered to Minecraft: more than one line')
  await minecraft.post('yes :) thanks, that helps', { ...alex, 'reply-to': seq })
  await expect(chat.message('that helps')).toBeInViewport()
  await expect(chat.message('This message was deleted')).toHaveCount(1)
  return { minecraft, irc, discord }
}
