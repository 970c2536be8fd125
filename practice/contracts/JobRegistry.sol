// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {GovernedModule} from "./base/PausableModule.sol";
import {FeePool} from "./FeePool.sol";
import {ReputationEngine} from "./ReputationEngine.sol";
import {StakeManager} from "./StakeManager.sol";

interface IValidation {
    function start(uint256 jobId) external;
    function approvers(uint256 jobId) external view returns (address[] memory);
}

/// The life of a job: created with its reward in escrow, submitted by a staked agent, judged, finalized and paid.
contract JobRegistry is GovernedModule {
    enum State {
        None,
        Created,
        Submitted,
        Completed,
        Rejected,
        Disputed,
        Finalized
    }

    struct Job {
        address employer;
        address agent;
        uint256 reward;
        uint64 deadline;
        State state;
        bytes32 specHash;
        bytes32 resultHash;
        string resultURI;
    }

    struct Links {
        StakeManager stakeManager;
        IValidation validationModule;
        address disputeModule;
        ReputationEngine reputationEngine;
        FeePool feePool;
    }

    struct Settings {
        uint256 jobStake;
        uint256 minAgentStake;
        uint256 maxJobReward;
        uint256 jobDurationLimit;
        uint256 maxActiveJobsPerAgent;
        uint256 expirationGracePeriod;
        uint256 feePct;
        uint256 validatorRewardPct;
    }

    StakeManager public immutable stakeManager;
    IValidation public immutable validationModule;
    address public immutable disputeModule;
    ReputationEngine public immutable reputationEngine;
    FeePool public immutable feePool;

    uint256 public jobStake;
    uint256 public minAgentStake;
    uint256 public maxJobReward;
    uint256 public jobDurationLimit;
    uint256 public maxActiveJobsPerAgent;
    uint256 public expirationGracePeriod;
    uint256 public feePct;
    uint256 public validatorRewardPct;

    uint256 public nextJobId = 1;
    mapping(uint256 => Job) public jobs;
    mapping(address => uint256) public activeJobs;

    event JobCreated(
        uint256 indexed jobId, address indexed employer, uint256 reward, uint64 deadline, bytes32 specHash, string uri
    );
    event JobSubmitted(uint256 indexed jobId, address indexed agent, bytes32 resultHash, string resultURI);
    event JobJudged(uint256 indexed jobId, bool approved);
    event JobDisputed(uint256 indexed jobId);
    event JobFinalized(uint256 indexed jobId, address indexed paid, uint256 amount, uint256 fee);
    event JobExpired(uint256 indexed jobId);
    event ParameterUpdated(string name, uint256 value);

    error WrongState(uint256 jobId, State state);
    error RewardOutOfBounds(uint256 reward, uint256 maxJobReward);
    error DeadlineOutOfBounds(uint256 deadline);
    error AgentNotStaked(uint256 stake, uint256 wanted);
    error TooManyActiveJobs(uint256 active);
    error NotModule(address caller);
    error NotExpired(uint256 expiresAt);
    error InvalidPercentage(uint256 pct);
    error TransferFailed();

    constructor(address governance_, Links memory links, Settings memory s) GovernedModule(governance_) {
        stakeManager = links.stakeManager;
        validationModule = links.validationModule;
        disputeModule = links.disputeModule;
        reputationEngine = links.reputationEngine;
        feePool = links.feePool;
        jobStake = s.jobStake;
        minAgentStake = s.minAgentStake;
        maxJobReward = s.maxJobReward;
        jobDurationLimit = s.jobDurationLimit;
        maxActiveJobsPerAgent = s.maxActiveJobsPerAgent;
        expirationGracePeriod = s.expirationGracePeriod;
        feePct = s.feePct;
        validatorRewardPct = s.validatorRewardPct;
    }

    /// The whole value sent is the reward and stays here until the job is finalized or expires.
    function createJob(uint64 deadline, bytes32 specHash, string calldata uri)
        external
        payable
        whenNotPaused
        returns (uint256 jobId)
    {
        if (msg.value == 0 || msg.value > maxJobReward) revert RewardOutOfBounds(msg.value, maxJobReward);
        if (deadline <= block.timestamp || deadline > block.timestamp + jobDurationLimit) {
            revert DeadlineOutOfBounds(deadline);
        }
        jobId = nextJobId++;
        Job storage job = jobs[jobId];
        job.employer = msg.sender;
        job.reward = msg.value;
        job.deadline = deadline;
        job.specHash = specHash;
        job.state = State.Created;
        emit JobCreated(jobId, msg.sender, msg.value, deadline, specHash, uri);
    }

    function submit(uint256 jobId, bytes32 resultHash, string calldata resultURI) external whenNotPaused {
        Job storage job = _inState(jobId, State.Created);
        if (block.timestamp > job.deadline) revert DeadlineOutOfBounds(job.deadline);
        uint256 active = ++activeJobs[msg.sender];
        if (active > maxActiveJobsPerAgent) revert TooManyActiveJobs(active - 1);
        uint256 wanted = minAgentStake + active * jobStake;
        uint256 stake = stakeManager.stakeOf(msg.sender, StakeManager.Role.Agent);
        if (stake < wanted) revert AgentNotStaked(stake, wanted);
        job.agent = msg.sender;
        job.resultHash = resultHash;
        job.resultURI = resultURI;
        job.state = State.Submitted;
        emit JobSubmitted(jobId, msg.sender, resultHash, resultURI);
        validationModule.start(jobId);
    }

    function judge(uint256 jobId, bool approved) external whenNotPaused {
        if (msg.sender != address(validationModule)) revert NotModule(msg.sender);
        Job storage job = _inState(jobId, State.Submitted);
        job.state = approved ? State.Completed : State.Rejected;
        emit JobJudged(jobId, approved);
    }

    function dispute(uint256 jobId) external whenNotPaused {
        if (msg.sender != disputeModule) revert NotModule(msg.sender);
        State state = jobs[jobId].state;
        if (state != State.Completed && state != State.Rejected) revert WrongState(jobId, state);
        jobs[jobId].state = State.Disputed;
        emit JobDisputed(jobId);
    }

    function resolve(uint256 jobId, bool agentWins) external whenNotPaused {
        if (msg.sender != disputeModule) revert NotModule(msg.sender);
        Job storage job = _inState(jobId, State.Disputed);
        job.state = agentWins ? State.Completed : State.Rejected;
        emit JobJudged(jobId, agentWins);
    }

    /// Pays the agent, the approving validators and the fee pool; a rejected job goes back to its employer.
    function finalize(uint256 jobId) external whenNotPaused {
        Job storage job = jobs[jobId];
        bool approved = job.state == State.Completed;
        if (!approved && job.state != State.Rejected) revert WrongState(jobId, job.state);
        job.state = State.Finalized;
        activeJobs[job.agent] -= 1;
        if (approved) _payAgent(jobId, job);
        else _refund(jobId, job);
    }

    function expire(uint256 jobId) external whenNotPaused {
        Job storage job = _inState(jobId, State.Created);
        uint256 expiresAt = job.deadline + expirationGracePeriod;
        if (block.timestamp <= expiresAt) revert NotExpired(expiresAt);
        job.state = State.Finalized;
        emit JobExpired(jobId);
        _send(job.employer, job.reward);
    }

    function employerOf(uint256 jobId) external view returns (address) {
        return jobs[jobId].employer;
    }

    function agentOf(uint256 jobId) external view returns (address) {
        return jobs[jobId].agent;
    }

    function stateOf(uint256 jobId) external view returns (State) {
        return jobs[jobId].state;
    }

    function setJobStake(uint256 value) external onlyGovernance {
        jobStake = value;
        emit ParameterUpdated("jobStake", value);
    }

    function setMinAgentStake(uint256 value) external onlyGovernance {
        minAgentStake = value;
        emit ParameterUpdated("minAgentStake", value);
    }

    function setMaxJobReward(uint256 value) external onlyGovernance {
        maxJobReward = value;
        emit ParameterUpdated("maxJobReward", value);
    }

    function setJobDurationLimit(uint256 value) external onlyGovernance {
        jobDurationLimit = value;
        emit ParameterUpdated("jobDurationLimit", value);
    }

    function setMaxActiveJobsPerAgent(uint256 value) external onlyGovernance {
        maxActiveJobsPerAgent = value;
        emit ParameterUpdated("maxActiveJobsPerAgent", value);
    }

    function setExpirationGracePeriod(uint256 value) external onlyGovernance {
        expirationGracePeriod = value;
        emit ParameterUpdated("expirationGracePeriod", value);
    }

    function setFeePct(uint256 value) external onlyGovernance {
        if (value + validatorRewardPct > 100) revert InvalidPercentage(value);
        feePct = value;
        emit ParameterUpdated("feePct", value);
    }

    function setValidatorRewardPct(uint256 value) external onlyGovernance {
        if (value + feePct > 100) revert InvalidPercentage(value);
        validatorRewardPct = value;
        emit ParameterUpdated("validatorRewardPct", value);
    }

    function _payAgent(uint256 jobId, Job storage job) private {
        address[] memory validators = validationModule.approvers(jobId);
        uint256 fee = (job.reward * feePct) / 100;
        uint256 share = validators.length == 0 ? 0 : (job.reward * validatorRewardPct) / 100 / validators.length;
        uint256 amount = job.reward - fee - share * validators.length;
        emit JobFinalized(jobId, job.agent, amount, fee);
        reputationEngine.add(job.agent, 1);
        if (fee > 0) feePool.depositFee{value: fee}();
        for (uint256 i = 0; i < validators.length; i++) _send(validators[i], share);
        _send(job.agent, amount);
    }

    function _refund(uint256 jobId, Job storage job) private {
        emit JobFinalized(jobId, job.employer, job.reward, 0);
        reputationEngine.subtract(job.agent, 1);
        _send(job.employer, job.reward);
    }

    function _inState(uint256 jobId, State wanted) private view returns (Job storage job) {
        job = jobs[jobId];
        if (job.state != wanted) revert WrongState(jobId, job.state);
    }

    function _send(address to, uint256 amount) private {
        (bool ok,) = to.call{value: amount}("");
        if (!ok) revert TransferFailed();
    }
}
