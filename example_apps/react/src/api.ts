/** Calls the API. The SDK wraps `fetch`: tokens travel by themselves, and an expired session is refreshed. */
export async function call(method: "GET" | "POST", path: string, body?: unknown): Promise<any> {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message ?? `The API answered ${response.status}.`);
  return answer;
}
