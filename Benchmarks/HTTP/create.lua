-- An organization for each request: a durable command with a key of its own, a claim of a slug, and two events or more.
local threads = 0

function setup(thread)
   threads = threads + 1
   thread:set("id", threads)
end

function init(args)
   count = 0
   run = os.getenv("RUN")
   headers = {
      ["Authorization"] = "Bearer " .. os.getenv("KEY"),
      ["Content-Type"] = "application/json",
   }
end

function request()
   count = count + 1
   local slug = string.format("o%s-%d-%d", run, id, count)
   headers["Idempotency-Key"] = slug
   return wrk.format("POST", nil, headers, string.format('{"name":"Acme","slug":"%s"}', slug))
end
