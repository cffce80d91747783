#!/usr/bin/env python3
"""The lookup service a team writes first instead: one `find` per request, asynchronous, secondaryPreferred.

  uvicorn --app-dir bench peer_api:app --port 8090 --log-level warning --no-access-log
Environment: MONGO (connection string), DB (default millrace), SUFFIX (added to the model's name: `@1` reads the build
  itself, not the view). Needs starlette, uvicorn[standard] and pymongo >= 4.13.
"""
import json
import os

import pymongo
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

_db = None


def collection(name):
    global _db
    if _db is None:
        client = pymongo.AsyncMongoClient(os.environ["MONGO"], readPreference="secondaryPreferred")
        _db = client[os.environ.get("DB", "millrace")]
    return _db[name]


async def lookup(request):
    found = await collection(request.path_params["model"] + os.environ.get("SUFFIX", "")).find_one({"_id": request.path_params["id"]}, {"_position": 0})
    if found is None:
        return Response(status_code=404)
    return Response(json.dumps(found, default=str), media_type="application/json")


app = Starlette(routes=[Route("/v1/{model}/{id}", lookup)])
