/** Deterministic NDJSON of user events: creates, updates and deletes that strict rules accept, in order. */
export function sampleEvents(count: number, users: number, seed = 7): string {
  let state = seed;
  const random = (): number => (state = (state * 1_103_515_245 + 12_345) & 0x7fffffff) / 0x7fffffff;
  const alive = new Set<string>();
  const lines: string[] = [];
  for (let i = 0; i < count; i++) {
    const userId = `user-${String(Math.floor(random() * users))}`;
    const data = { name: `Zoë ${String(Math.floor(random() * 1e6))}`, email: `${userId}@example.com` };
    const isThere = alive.has(userId);
    if (isThere && random() < 0.12) {
      alive.delete(userId);
      lines.push(JSON.stringify({ operation: 'delete', userId }));
    } else {
      alive.add(userId);
      lines.push(JSON.stringify({ operation: isThere ? 'update' : 'create', userId, data }));
    }
  }
  return `${lines.join('\n')}\n`;
}
