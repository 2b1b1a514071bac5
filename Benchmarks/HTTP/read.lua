-- The same read again and again, as whoever wrote KEY.
wrk.method = "GET"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("KEY")
