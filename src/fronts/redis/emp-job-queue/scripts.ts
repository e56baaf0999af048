/** What has to happen as one in emp-job-queue's keys. */

/** KEYS: `job:ID`. ARGV: worker, commands as JSON. Runs them where the job is still this worker's and isn't over; else gives 0. */
export const OWNED = `
local status = redis.call('HGET', KEYS[1], 'status')
if redis.call('HGET', KEYS[1], 'worker_id') ~= ARGV[1] then return 0 end
if status == 'completed' or status == 'failed' or status == 'cancelled' then return 0 end
for _, command in ipairs(cjson.decode(ARGV[2])) do redis.call(unpack(command)) end
return 1`;

/**
 * ARGV: worker, `1` where it must be silent, the time (ISO), the time (milliseconds). Puts the jobs that a worker had back into the
 * queue, or fails those that had their retries; the ids of both. A queue's score is emp-job-queue's own: the workflow's priority and
 * time, else the job's.
 */
export const FORSAKE = `
local worker = ARGV[1]
if ARGV[2] == '1' and redis.call('EXISTS', 'worker:' .. worker .. ':heartbeat') == 1 then return {} end
local moved = {}
for _, id in ipairs(redis.call('HKEYS', 'jobs:active:' .. worker)) do
  local key = 'job:' .. id
  local job = redis.call('HMGET', key, 'worker_id', 'status', 'retry_count', 'max_retries', 'priority', 'workflow_priority', 'workflow_datetime')
  local open = job[2] == 'assigned' or job[2] == 'in_progress' or job[2] == 'accepted'
  if job[1] == worker and open then
    local retries = (tonumber(job[3]) or 0) + 1
    if retries > (tonumber(job[4]) or 3) then
      redis.call('HSET', key, 'status', 'failed', 'failed_at', ARGV[3], 'retry_count', retries, 'last_failed_worker', worker)
      redis.call('HSET', 'jobs:failed', id, cjson.encode({error = 'its worker was lost', failed_at = ARGV[3], retry_count = retries}))
      redis.call('EXPIRE', 'jobs:failed', 604800)
      redis.call('PUBLISH', 'job_failed', cjson.encode({job_id = id, worker_id = worker, status = 'failed',
        error = 'its worker was lost', failed_at = ARGV[3], retry_count = retries, can_retry = false, timestamp = tonumber(ARGV[4])}))
    else
      redis.call('HSET', key, 'status', 'pending', 'worker_id', '', 'assigned_at', '', 'retry_count', retries, 'last_failed_worker', worker)
      local priority = tonumber(job[6]) or tonumber(job[5]) or 50
      local time = tonumber(job[7]) or tonumber(ARGV[4])
      redis.call('ZADD', 'jobs:pending', string.format('%.0f', priority * 1000000 + (9007199254740991 - time)), id)
    end
    moved[#moved + 1] = id
  end
  redis.call('HDEL', 'jobs:active:' .. worker, id)
end
if ARGV[2] == '1' then redis.call('SREM', 'workers:active', worker) end
return moved`;
