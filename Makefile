# Each target is one call of the tool; `make book` and `make test` are all that a reader needs.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && exit; done; echo python3)
COURSE = .venv/bin/python -m course_suite

.PHONY: setup book test serve bench lock clean

book: setup
	@$(COURSE) build

test: setup
	@$(COURSE) test

setup:
	@"$(PYTHON)" course_suite/bootstrap.py

serve: setup
	@$(COURSE) serve

bench: setup
	@$(COURSE) bench

lock: setup
	@$(COURSE) lock

clean:
	@rm -rf _build .venv
