// A client as one writes it by hand for a page: what the work needs of the protocol, and no more. It forgets
// everything when its connection breaks.

export async function connect ({ url, key, name, history }, onMessage) {
  const socket = new WebSocket(url)
  const waiting = new Map()
  let ids = 0
  await new Promise((resolve, reject) => {
    socket.onopen = () => {
      socket.send(JSON.stringify({ action: 'register', 'client-name': name, 'secret-key': key, protocol: 2, history }))
    }
    socket.onclose = () => reject(new Error('closed'))
    socket.onmessage = ({ data }) => {
      const packet = JSON.parse(data)
      switch (packet.action) {
        case 'register-ack':
          resolve()
          break
        case 'forwarding-message':
          onMessage({ source: packet['source-client-name'], content: packet.content, seq: packet.seq, time: packet.time })
          break
        case 'message-ack':
          waiting.get(packet.id)?.(packet)
          waiting.delete(packet.id)
          break
      }
    }
  })
  return {
    send: (content) => new Promise((resolve) => {
      const id = String(ids += 1)
      waiting.set(id, resolve)
      socket.send(JSON.stringify({ action: 'client-message', content, id }))
    }),
    close: () => new Promise((resolve) => { socket.onclose = resolve; socket.close(1000) })
  }
}
