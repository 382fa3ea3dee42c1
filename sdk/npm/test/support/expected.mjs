/** What test/app/session.mjs returns, wherever it runs. */
export const expected = [
  ['MultichatError', 'unauthorized', false],
  ['online', 'rich', false],
  ['alice', 'hello, 世界 👋', { name: 'Alice "A"\n', id: 'u1' }, [], true, false],
  ['bob', 'hello, alice', true, true],
  [true, 'hello, all'],
  ['', [{ url: 'https://example.org/cat.png', name: 'cat.png', mime: 'image/png', size: 12345 }]],
  ['bob', true, 'failed', 'no pictures here'],
  ['bob', 'netsplit'],
  [true],
  ['not-allowed', { target: 1, content: 'mine now', type: 'edit' }, 'not-sent'],
  ['empty-content', { content: '', type: 'message' }, 'not-sent'],
  ['logged', 'closed'],
  ['good bye'],
  [{ type: 'closed', by: 'client' }, true],
  ['closed', { content: 'too late', type: 'message' }]
]
