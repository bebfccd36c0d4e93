%% garbage collection: short-lived garbage beside a large live heap.
%% repeat: 2
-module(b_bigheap).
-export([run/0]).
run() -> Live = [{I, [I, I + 1], integer_to_list(I)} || I <- lists:seq(1, 120000)], X = churn(120000, 0), {length(Live), erlang:phash2(lists:last(Live)), X}.
churn(0, A) -> A;
churn(N, A) -> churn(N - 1, A + length(lists:seq(1, 20)) + tuple_size({N, N, [N | A]})).
