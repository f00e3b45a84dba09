"""What a page did while it was open: the requests it made, and everything that went wrong."""

from __future__ import annotations

from playwright.sync_api import Page, Request, Response, Route

SETTLED = """async () => {
  if (window.MathJax && MathJax.startup) await MathJax.startup.promise;
  await document.fonts.ready;
}"""


class Recorder:
    """Watches one page. Requests to another host are noted and stopped, so that no test ever leaves the machine."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.origin = origin
        self.requests: list[str] = []
        self.problems: list[str] = []
        page.route("**/*", self._route)
        page.on("response", self._response)
        page.on("requestfailed", self._failure)
        page.on("pageerror", lambda error: self._note("page error", error.message))
        page.on("console", lambda message: message.type == "error" and self._note("console error", message.text))

    def visit(self, path: str, *, redirects_to: str | None = None) -> list[str]:
        """Open a page of the site, wait until its scripts, mathematics and fonts are there. Returns its problems."""
        self.requests, self.problems = [], []
        self.page.goto(self.origin + path, wait_until="commit" if redirects_to else "load")
        self.page.wait_for_url(self.origin + (redirects_to or path), wait_until="load")
        self.page.evaluate(SETTLED)
        return self.problems

    def _route(self, route: Route) -> None:
        url = route.request.url
        self.requests.append(url)
        if url.startswith((self.origin, "data:", "blob:")):
            route.continue_()
        else:
            self._note("request to another host", url)
            route.abort()

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self._note(f"status {response.status}", response.url)

    def _failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left before the answer came
            self._note("request failed", request.url)

    def _note(self, kind: str, what: str) -> None:
        self.problems.append(f"{kind}: {what}")
