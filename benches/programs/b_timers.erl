%% processes: setting, cancelling and expiring timers.
%% repeat: 2
-module(b_timers).
-export([run/0]).
run() -> {cancel(300000, 0), after_(300000, 0), fire(40000)}.
cancel(0, A) -> A;
cancel(N, A) -> R = erlang:send_after(60000 + N, self(), x), case erlang:cancel_timer(R) of T when is_integer(T) -> cancel(N - 1, A + 1); false -> cancel(N - 1, A) end.
after_(0, A) -> A;
after_(N, A) -> self() ! m, receive m -> after_(N - 1, A + 1) after 5000 -> A end.
fire(N) -> [erlang:send_after(I band 7, self(), t) || I <- lists:seq(1, N)], length([receive t -> t end || _ <- lists:seq(1, N)]).
