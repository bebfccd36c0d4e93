%% processes
%% Timers and clocks.
-module(t_timer).
-include("diff.hrl").

get_msg() -> receive M -> M after 5000 -> nothing end.
none() -> receive M -> M after 40 -> none end.

cases() ->
    [{send_after, fun() -> erlang:send_after(5, self(), hello), get_msg() end},
     {send_after_0, fun() -> erlang:send_after(0, self(), hello), get_msg() end},
     {start_timer, fun() -> R = erlang:start_timer(5, self(), hello), {timeout, R, M} = get_msg(), M end},
     {order, fun() -> [erlang:send_after(T, self(), T) || T <- [60, 5, 30]], [get_msg(), get_msg(), get_msg()] end},
     {not_early, fun() -> T0 = erlang:monotonic_time(microsecond), erlang:send_after(20, self(), x), get_msg(), erlang:monotonic_time(microsecond) - T0 >= 20000 end},
     {cancel, fun() -> R = erlang:send_after(10000, self(), x), T = erlang:cancel_timer(R), {T > 9000, T =< 10000, none()} end},
     {cancel_twice, fun() -> R = erlang:send_after(10000, self(), x), erlang:cancel_timer(R), erlang:cancel_timer(R) end},
     {cancel_fired, fun() -> R = erlang:send_after(1, self(), x), get_msg(), erlang:cancel_timer(R) end},
     {cancel_async, fun() -> R = erlang:send_after(10000, self(), x), ok = erlang:cancel_timer(R, [{async, true}]), receive {cancel_timer, R, T} -> T > 9000 after 1000 -> nothing end end},
     {cancel_async_noinfo, fun() -> R = erlang:send_after(10000, self(), x), [erlang:cancel_timer(R, [{async, true}, {info, false}]), none()] end},
     {cancel_noinfo, fun() -> R = erlang:send_after(10000, self(), x), erlang:cancel_timer(R, [{info, false}]) end},
     {cancel_bad, fun() -> [c(fun() -> erlang:cancel_timer(id(x)) end), c(fun() -> erlang:cancel_timer(make_ref(), id([foo])) end), erlang:cancel_timer(make_ref())] end},
     {read, fun() -> R = erlang:send_after(10000, self(), x), T = erlang:read_timer(R), erlang:cancel_timer(R), {T > 9000, erlang:read_timer(R)} end},
     {read_async, fun() -> R = erlang:send_after(10000, self(), x), ok = erlang:read_timer(R, [{async, true}]), V = receive {read_timer, R, T} -> T > 9000 end, erlang:cancel_timer(R), V end},
     {bad, fun() -> [c(fun() -> erlang:send_after(id(T), self(), x) end) || T <- [-1, a, 1.0, 1 bsl 64]] ++ [c(fun() -> erlang:send_after(1, id(1), x) end), c(fun() -> erlang:start_timer(1, id("x"), x) end), c(fun() -> erlang:send_after(1, self(), x, id([foo])) end)] end},
     {to_name, fun() -> register(t_timer_n, self()), erlang:send_after(1, t_timer_n, hi), get_msg() end},
     {to_missing_name, fun() -> R = erlang:send_after(1, no_such_name_t, hi), none(), erlang:cancel_timer(R) end},
     {to_dead, fun() -> P = spawn(fun() -> ok end), erlang:send_after(1, P, hi), none() end},
     {dies_with_target, fun() -> P = spawn(fun() -> receive stop -> ok end end), R = erlang:send_after(100000, P, hi), M = monitor(process, P), P ! stop, receive {'DOWN', M, _, _, _} -> ok end, erlang:cancel_timer(R) end},
     {survives_starter, fun() -> S = self(), spawn(fun() -> erlang:send_after(20, S, late) end), get_msg() end},
     {absolute, fun() -> T = erlang:monotonic_time(millisecond) + 10, erlang:send_after(T, self(), x, [{abs, true}]), get_msg() end},
     {absolute_past, fun() -> T = erlang:monotonic_time(millisecond) - 5, erlang:start_timer(T, self(), x, [{abs, true}]), element(3, get_msg()) end},
     {long_timer, fun() -> R = erlang:send_after(1 bsl 35, self(), x), T = erlang:cancel_timer(R), T > (1 bsl 35) - 10000 end},
     {many, fun() -> [erlang:send_after(N rem 20, self(), N) || N <- lists:seq(1, 2000)], lists:sum([get_msg() || _ <- lists:seq(1, 2000)]) end},
     {many_cancel, fun() -> Rs = [erlang:send_after(5000 + N, self(), N) || N <- lists:seq(1, 2000)], [T || R <- Rs, (T = erlang:cancel_timer(R)) =:= false] end},
     {big_message, fun() -> erlang:send_after(1, self(), lists:seq(1, 1000)), length(get_msg()) end},
     {timer_sleep, fun() -> timer:sleep(1) end},
     {timer_tc, fun() -> {T, V} = timer:tc(fun() -> id(5) end), {is_integer(T), V} end},
     {timer_module, fun() -> {ok, _} = timer:send_after(1, hi), A = get_msg(), {ok, R} = timer:send_interval(2, tick), B = [get_msg(), get_msg()], {ok, cancel} = timer:cancel(R), {A, B} end},
     {timer_apply, fun() -> S = self(), {ok, _} = timer:apply_after(1, erlang, send, [S, applied]), get_msg() end},
     {timer_units, fun() -> [timer:seconds(2), timer:minutes(1), timer:hours(1), timer:hms(1, 2, 3)] end},
     {monotonic, fun() -> A = erlang:monotonic_time(), B = erlang:monotonic_time(), B >= A end},
     {unique_integer, fun() -> L = [erlang:unique_integer() || _ <- lists:seq(1, 1000)], M = [erlang:unique_integer([monotonic]) || _ <- lists:seq(1, 100)], {length(lists:usort(L)), M =:= lists:sort(M), erlang:unique_integer([positive]) > 0, c(fun() -> erlang:unique_integer(id([foo])) end)} end},
     {convert, fun() -> [erlang:convert_time_unit(id(N), F, T) || {N, F, T} <- [{1, second, millisecond}, {1999, millisecond, second}, {-1, millisecond, second}, {1, second, nanosecond}, {5, 1000, second}, {7, second, 3}]] end},
     {convert_bad, fun() -> [c(fun() -> erlang:convert_time_unit(id(1), foo, second) end), c(fun() -> erlang:monotonic_time(id(foo)) end), c(fun() -> erlang:system_time(id(0)) end)] end},
     {system_time, fun() -> S = erlang:system_time(second), M = erlang:system_time(millisecond), {abs(M div 1000 - S) < 2, S > 1600000000} end},
     {time_relation, fun() -> abs(erlang:monotonic_time(millisecond) + erlang:time_offset(millisecond) - erlang:system_time(millisecond)) < 100 end},
     {timestamp, fun() -> {A, B, C} = erlang:timestamp(), {is_integer(A), B < 1000000, C < 1000000} end},
     {now_unique, fun() -> L = [erlang:now() || _ <- lists:seq(1, 100)], {length(lists:usort(L)), L =:= lists:sort(L)} end},
     {dates, fun() -> {{Y, _, _}, {H, _, _}} = erlang:universaltime(), {Y > 2020, H < 24, tuple_size(date()), tuple_size(time()), erlang:localtime() >= {{2020, 1, 1}, {0, 0, 0}}} end},
     {utc_convert, fun() -> [erlang:universaltime_to_localtime({{2020, 6, 1}, {12, 0, 0}}), erlang:localtime_to_universaltime({{2020, 6, 1}, {12, 0, 0}}), erlang:localtime_to_universaltime({{2020, 6, 1}, {12, 0, 0}}, false)] end},
     {utc_bad, fun() -> [c(fun() -> erlang:localtime_to_universaltime(id({{2020, 13, 1}, {0, 0, 0}})) end), c(fun() -> erlang:universaltime_to_localtime(id(x)) end)] end},
     {calendar, fun() -> [calendar:day_of_the_week(2024, 2, 29), calendar:datetime_to_gregorian_seconds({{2024, 1, 1}, {0, 0, 0}}), calendar:system_time_to_rfc3339(0, [{offset, "Z"}]), calendar:rfc3339_to_system_time("2020-01-02T03:04:05Z"), calendar:is_leap_year(2000), calendar:valid_date(2023, 2, 29), calendar:seconds_to_time(3661), calendar:system_time_to_universal_time(0, second)] end},
     {statistics_types, fun() -> [begin {A, B} = statistics(I), is_integer(A) and is_integer(B) end || I <- [runtime, wall_clock, reductions, exact_reductions]] end},
     {statistics_bad, fun() -> c(fun() -> statistics(id(foo)) end) end}].
