// The browser sees one origin; Angular's server passes what belongs to the API on to it.
const target = process.env.API_DOMAIN ?? "http://localhost:8000";

export default Object.fromEntries(["/login", "/api", "/auth"].map((path) => [path, { target }]));
